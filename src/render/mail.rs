//! What every mail is made of: a subject, one HTML part and one text part, from templates, with
//! a marker wherever recipients differ.

use tera::Context;

use super::variants::{self, Rendered};
use super::{Theme, slots};
use crate::diagnostic::Diagnostic;
use crate::domain::ids::PostId;
use crate::domain::issue::{Issue, Marker, Parts, Slot, Variants};

/// The templates of a kind of mail.
pub(super) struct Templates {
    pub subject: &'static str,
    pub html: &'static str,
    pub text: &'static str,
}

/// A mail before it is rendered.
pub(super) struct Mail {
    pub templates: &'static Templates,
    /// The post, or the name of a digest.
    pub about: PostId,
    /// Tells the markers from everything else: lower-case hex that no text holds by chance.
    pub nonce: String,
    /// What the templates of subject and HTML are told, but for the subscriber.
    pub html: Context,
    /// What that of the text part is told.
    pub text: Context,
    pub web_url: String,
    pub commit: Option<String>,
}

impl Mail {
    /// Renders the mail for everybody: once, and once more for those who lack what a template
    /// asks about; styles inlined. A template without the unsubscribe link in both parts is
    /// refused.
    pub fn issue(self, theme: &Theme) -> Result<Issue, Diagnostic> {
        let found = variants::find(theme, self.templates, &self.nonce, &|lacking| self.rendered(theme, lacking))?;
        let mut parts = Vec::with_capacity(found.rendered.len());
        for rendered in &found.rendered {
            parts.push(finished(theme, self.templates, rendered, &self.nonce)?);
        }
        let Parts { html, text } = parts.remove(0);
        Ok(Issue {
            post: self.about,
            subject: found.subject,
            html,
            text,
            variants: Variants { asked: found.asked, parts },
            pictures: Vec::new(),
            nonce: self.nonce,
            web_url: self.web_url,
            commit: self.commit,
        })
    }

    fn rendered(&self, theme: &Theme, lacking: &[&Slot]) -> Result<Rendered, Diagnostic> {
        let (mut html, mut text) = (self.html.clone(), self.text.clone());
        for context in [&mut html, &mut text] {
            let fields = theme.subscriber_fields().iter();
            slots::insert(context, &self.nonce, fields.map(|slot| (slot, lacking.contains(&slot))));
        }
        let subject = one_line(&theme.render(self.templates.subject, &html)?);
        let html = theme.render(self.templates.html, &html)?;
        let text = format!("{}\n", theme.render(self.templates.text, &text)?.trim_end());
        Ok(Rendered { subject, html, text })
    }
}

/// The parts with defaults written out and styles inlined, checked.
fn finished(theme: &Theme, templates: &Templates, rendered: &Rendered, nonce: &str) -> Result<Parts, Diagnostic> {
    let raw = slots::written_out(&rendered.html, nonce, escaped);
    let html = theme.inlined(&raw, templates.html)?;
    check_slots(theme, templates, &raw, &html, nonce)?;
    let text = slots::written_out(&rendered.text, nonce, str::to_owned);
    check_unsubscribe(theme, templates.text, IN_TEXT, text.contains(&Slot::UnsubscribeUrl.marker(nonce)))?;
    Ok(Parts { html, text })
}

fn escaped(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    tera::escape_html(text, &mut out).expect("writing to memory cannot fail");
    String::from_utf8(out).expect("what is escaped was text")
}

/// What makes a template fit for mail.
const IN_HTML: &str = "add `<a href=\"{{ unsubscribe_url }}\">Unsubscribe</a>`";
const IN_TEXT: &str = "add a line `Unsubscribe: {{ unsubscribe_url }}`";

/// Makes sure that inlining left every marker as it was, and that one of them is a link.
fn check_slots(
    theme: &Theme,
    templates: &Templates,
    rendered: &str,
    inlined: &str,
    nonce: &str,
) -> Result<(), Diagnostic> {
    let [mut before, mut after] = [rendered, inlined].map(|html| Marker::all(html, nonce));
    before.sort();
    after.sort();
    if before != after {
        let message = "a variable of the subscriber stands where the styles are: it would be lost";
        return Err(theme.error("mail-slot", templates.html, message).help("use it in the text or in a link only"));
    }
    let link = format!("href=\"{}\"", Slot::UnsubscribeUrl.marker(nonce));
    check_unsubscribe(theme, templates.html, IN_HTML, inlined.contains(&link))
}

fn check_unsubscribe(theme: &Theme, template: &str, remedy: &str, found: bool) -> Result<(), Diagnostic> {
    if found {
        return Ok(());
    }
    Err(theme.error("mail-unsubscribe", template, "the mail has no link to unsubscribe").help(remedy))
}

/// A subject line: control characters and line ends are spaces, and none stands twice.
fn one_line(text: &str) -> String {
    let spaced: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    spaced.split_whitespace().collect::<Vec<_>>().join(" ")
}
