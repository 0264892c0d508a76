//! A post becomes a mail issue: one HTML part, one text part, slots for what differs.

use tera::Context;

use super::clip::{self, Extent};
use super::html::{self, Medium, push_attribute};
use super::links::Here;
use super::variants::{self, Rendered};
use super::views::{PostView, SiteView, finished_html};
use super::{SiteContext, Theme, shown, slots, text, walk};
use crate::diagnostic::Diagnostic;
use crate::domain::issue::{Issue, Marker, Parts, Slot, Variants};
use crate::domain::post::Post;

/// The templates of a kind of mail.
pub(super) struct Templates {
    pub subject: &'static str,
    pub html: &'static str,
    pub text: &'static str,
}

const TEMPLATES: Templates = Templates { subject: "mail/subject.txt", html: "mail/issue.html", text: "mail/issue.txt" };

/// The post as it is mailed to everybody: CSS inlined, URLs absolute, and a marker wherever
/// recipients differ; rendered once more for those who lack what a template asks about. Of a
/// post too long for mail programs a part is mailed, and a warning says which. A template
/// without the unsubscribe link in both parts is refused. The same post and theme always give
/// the same bytes.
pub fn issue(theme: &Theme, site: &SiteContext, post: &Post) -> Result<(Issue, Option<Diagnostic>), Diagnostic> {
    let words = text::body(post, &site.publication.base_url, site.pictures);
    clip::fitted(post, |extent| {
        let issue = rendered(theme, site, post, extent, &words)?;
        let variants = issue.variants.parts.iter().map(|parts| parts.html.len());
        let size = variants.fold(issue.html.len(), usize::max);
        Ok((issue, size))
    })
}

fn rendered(theme: &Theme, site: &SiteContext, post: &Post, extent: &Extent, words: &str) -> Result<Issue, Diagnostic> {
    let base = &site.publication.base_url;
    let body = body(site, extent);
    let nonce = super::digest([post.id.as_str().as_bytes(), body.as_bytes(), words.as_bytes()]);
    let context = context(theme, site, post);
    let render = |lacking: &[&Slot]| {
        let mut context = context.clone();
        let fields = theme.subscriber_fields().iter();
        slots::insert(&mut context, &nonce, fields.map(|slot| (slot, lacking.contains(&slot))));
        let subject = one_line(&theme.render(TEMPLATES.subject, &context)?);
        context.insert_value("body", finished_html(&body));
        let html = theme.render(TEMPLATES.html, &context)?;
        context.insert("body", words);
        let text = format!("{}\n", theme.render(TEMPLATES.text, &context)?.trim_end());
        Ok(Rendered { subject, html, text })
    };
    let found = variants::find(theme, &TEMPLATES, &nonce, &render)?;
    let mut parts = Vec::with_capacity(found.rendered.len());
    for rendered in &found.rendered {
        parts.push(finished(theme, &TEMPLATES, rendered, &nonce)?);
    }
    let Parts { html, text } = parts.remove(0);
    Ok(Issue {
        post: post.id.clone(),
        subject: found.subject,
        html,
        text,
        variants: Variants { asked: found.asked, parts },
        nonce,
        web_url: base.join(&post.site_path()),
        commit: post.commit.clone(),
    })
}

/// The text of a post as far as it is mailed, and a link to the rest.
fn body(site: &SiteContext, extent: &Extent) -> String {
    let (post, base) = (&extent.post, &site.publication.base_url);
    let mut body = html::body_in(extent.colours, post, base, site.pictures, Medium::Mail);
    if let Some(rest) = &extent.rest {
        let fragment = if rest.fragment.is_empty() { String::new() } else { format!("#{}", rest.fragment) };
        body.push_str("<p class=\"continue\"><a");
        push_attribute(&mut body, "href", &base.join(&format!("{}{fragment}", post.site_path())));
        body.push_str(">Continue reading on the web</a></p>\n");
    }
    body
}

/// What the mail's templates are told, but for the subscriber and the body.
fn context(theme: &Theme, site: &SiteContext, post: &Post) -> Context {
    let view = PostView::new(post, site, Here::Anywhere);
    let base = &site.publication.base_url;
    let cover = walk::cover(post).and_then(|_| shown::cover_url(post, base, site.pictures)).unwrap_or_default();
    let copies = walk::cover(post).and_then(|cover| shown::copies(post, cover, site.pictures));
    let size = copies.map_or((0, 0), |copies| (copies.mail.width, copies.mail.height));
    let mut context = Context::new();
    context.insert("site", &SiteView::new(site, theme, Here::Anywhere));
    context.insert("byline", &view.byline());
    context.insert("post", &view);
    context.insert("cover", &cover);
    context.insert("cover_width", &size.0);
    context.insert("cover_height", &size.1);
    context.insert("has_formulas", &walk::has_formulas(&post.document));
    context.insert("heading", &text::underlined(&post.title, '='));
    context.insert("web_url", &site.publication.base_url.join(&post.site_path()));
    context
}

/// The parts with defaults written out and styles inlined, checked.
pub(super) fn finished(
    theme: &Theme,
    templates: &Templates,
    rendered: &Rendered,
    nonce: &str,
) -> Result<Parts, Diagnostic> {
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
pub(super) fn one_line(text: &str) -> String {
    let spaced: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    spaced.split_whitespace().collect::<Vec<_>>().join(" ")
}
