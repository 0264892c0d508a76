//! A post becomes a mail issue: one HTML part, one text part, slots for what differs.

use tera::Context;

use super::html::{self, Medium};
use super::links::Here;
use super::views::{PostView, SiteView, finished_html, image_url};
use super::{SiteContext, Theme, text, walk};
use crate::diagnostic::Diagnostic;
use crate::domain::issue::{Issue, Slot};
use crate::domain::post::Post;

const HTML: &str = "mail/issue.html";
const TEXT: &str = "mail/issue.txt";
const SUBJECT: &str = "mail/subject.txt";

/// The post as it is mailed to everybody: CSS inlined, URLs absolute, and a marker wherever
/// recipients differ. A template without the unsubscribe link in both parts is refused.
/// The same post and theme always give the same bytes.
pub fn issue(theme: &Theme, site: &SiteContext, post: &Post) -> Result<Issue, Diagnostic> {
    let base = &site.publication.base_url;
    let body = html::body(post, base, Medium::Mail);
    let words = text::body(post, base);
    let nonce = super::digest([post.id.as_str().as_bytes(), body.as_bytes(), words.as_bytes()]);
    let mut context = context(theme, site, post, &nonce);

    context.insert_value("body", finished_html(&body));
    let rendered = theme.render(HTML, &context)?;
    let html = theme.inlined(&rendered, HTML)?;
    check_slots(theme, &rendered, &html, &nonce)?;

    context.insert("body", &words);
    let text = format!("{}\n", theme.render(TEXT, &context)?.trim_end());
    check_unsubscribe(theme, TEXT, text.contains(&Slot::UnsubscribeUrl.marker(&nonce)))?;

    let subject = one_line(&theme.render(SUBJECT, &context)?);
    Ok(Issue {
        post: post.id.clone(),
        subject,
        html,
        text,
        nonce,
        web_url: base.join(&post.site_path()),
        commit: post.commit.clone(),
    })
}

/// What the mail's templates are told.
fn context(theme: &Theme, site: &SiteContext, post: &Post, nonce: &str) -> Context {
    let view = PostView::new(post, site.publication, Here::Anywhere);
    let cover = walk::cover(post).and_then(|_| image_url(post, &site.publication.base_url)).unwrap_or_default();
    let mut context = Context::new();
    context.insert("site", &SiteView::new(site, theme, Here::Anywhere));
    context.insert("byline", &view.byline());
    context.insert("post", &view);
    context.insert("cover", &cover);
    context.insert("heading", &text::underlined(&post.title, '='));
    let name = Slot::SubscriberName.marker(nonce);
    let address = Slot::SubscriberAddress.marker(nonce);
    context.insert("subscriber", &serde_json::json!({ "name": name, "address": address }));
    context.insert("subscriber_name", &name);
    context.insert("subscriber_address", &address);
    context.insert("unsubscribe_url", &Slot::UnsubscribeUrl.marker(nonce));
    context
}

/// Makes sure that inlining left every marker as it was, and that one of them is a link.
fn check_slots(theme: &Theme, rendered: &str, inlined: &str, nonce: &str) -> Result<(), Diagnostic> {
    for slot in Slot::ALL {
        let marker = slot.marker(nonce);
        if rendered.matches(&marker).count() != inlined.matches(&marker).count() {
            let message = "a variable of the subscriber stands where the styles are: it would be lost";
            return Err(theme.error("mail-slot", HTML, message).help("use it in the text or in a link only"));
        }
    }
    let link = format!("href=\"{}\"", Slot::UnsubscribeUrl.marker(nonce));
    check_unsubscribe(theme, HTML, inlined.contains(&link))
}

fn check_unsubscribe(theme: &Theme, template: &str, found: bool) -> Result<(), Diagnostic> {
    if found {
        return Ok(());
    }
    let help = match template {
        HTML => "add `<a href=\"{{ unsubscribe_url }}\">Unsubscribe</a>`",
        _ => "add a line `Unsubscribe: {{ unsubscribe_url }}`",
    };
    Err(theme.error("mail-unsubscribe", template, "the mail has no link to unsubscribe").help(help))
}

/// A subject line: control characters and line ends are spaces, and none stands twice.
fn one_line(text: &str) -> String {
    let spaced: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    spaced.split_whitespace().collect::<Vec<_>>().join(" ")
}
