//! Several posts become one mail: what came in a period, each with its summary and its link.

use chrono::{NaiveDate, NaiveTime};
use serde::Serialize;
use tera::Context;

use super::issue::{Templates, finished, one_line};
use super::links::Here;
use super::variants::{self, Rendered};
use super::views::{DateView, PostView, SiteView, direction};
use super::{SiteContext, Theme, slots, text};
use crate::diagnostic::Diagnostic;
use crate::domain::digest::Period;
use crate::domain::issue::{Issue, Parts, Slot, Variants};
use crate::domain::post::Post;

const TEMPLATES: Templates =
    Templates { subject: "mail/digest-subject.txt", html: "mail/digest.html", text: "mail/digest.txt" };

/// `digest`: which posts they are.
#[derive(Debug, Serialize)]
struct DigestView<'a> {
    /// `daily`, `weekly`, `monthly`; `every` for everything since a day.
    cadence: &'static str,
    /// Its first and its last day.
    first: DateView,
    last: DateView,
    language: &'a str,
    direction: &'static str,
}

/// The posts of a period (oldest first) as one mail, which begins with the newest, from the digest's own templates; otherwise
/// as [`super::issue`] makes one post's. The same posts and theme always give the same bytes.
pub fn digest(theme: &Theme, site: &SiteContext, period: &Period, posts: &[&Post]) -> Result<Issue, Diagnostic> {
    let id = period.id();
    let parts = std::iter::once(id.as_str()).chain(posts.iter().map(|post| post.id.as_str()));
    let nonce = super::digest(parts.map(str::as_bytes));
    let context = context(theme, site, period, posts);
    let render = |lacking: &[&Slot]| {
        let mut context = context.clone();
        let fields = theme.subscriber_fields().iter();
        slots::insert(&mut context, &nonce, fields.map(|slot| (slot, lacking.contains(&slot))));
        let subject = one_line(&theme.render(TEMPLATES.subject, &context)?);
        let html = theme.render(TEMPLATES.html, &context)?;
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
        post: id,
        subject: found.subject,
        html,
        text,
        variants: Variants { asked: found.asked, parts },
        nonce,
        web_url: site.publication.base_url.join(""),
        commit: None,
    })
}

fn context(theme: &Theme, site: &SiteContext, period: &Period, posts: &[&Post]) -> Context {
    let publication = site.publication;
    let language = &publication.language;
    let newest_first = || posts.iter().rev();
    let views: Vec<PostView> = newest_first().map(|post| PostView::new(post, site, Here::Anywhere)).collect();
    let summaries: Vec<String> = newest_first().map(|post| text::behind("  ", &post.summary)).collect();
    let mut context = Context::new();
    context.insert("site", &SiteView::new(site, theme, Here::Anywhere));
    context.insert(
        "digest",
        &DigestView {
            cadence: period.cadence.word(),
            first: day(period.first, language),
            last: day(period.last_day(), language),
            language,
            direction: direction(language),
        },
    );
    context.insert("heading", &text::underlined(&publication.title, '='));
    context.insert("posts", &views);
    context.insert("summaries", &summaries);
    context
}

fn day(day: NaiveDate, language: &str) -> DateView {
    DateView::new(day.and_time(NaiveTime::MIN).and_utc().fixed_offset(), language)
}
