//! Several posts become one mail: what came in a period, each with its summary and its link.

use chrono::{NaiveDate, NaiveTime};
use serde::Serialize;
use tera::Context;

use super::links::Here;
use super::mail::{Mail, Templates};
use super::views::{DateView, PostView, SiteView, direction};
use super::{SiteContext, Theme, clip, text};
use crate::config::FILE_NAME;
use crate::diagnostic::{Diagnostic, Place};
use crate::domain::digest::Period;
use crate::domain::issue::Issue;
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
    /// How many posts it is about.
    count: usize,
    /// How many of them `posts` leaves out: there would be no room.
    left: usize,
    language: &'a str,
    direction: &'static str,
}

/// The posts of a period (oldest first) as one mail, which begins with the newest, from the digest's
/// own templates; otherwise as [`super::issue`] makes one post's. Of more posts than mail programs
/// show, the HTML holds the newest and the text part all; a warning says how many. The same posts
/// and theme always give the same bytes.
pub fn digest(
    theme: &Theme,
    site: &SiteContext,
    period: &Period,
    posts: &[&Post],
) -> Result<(Issue, Option<Diagnostic>), Diagnostic> {
    clip::fitted_list(posts.len(), &Place::file(FILE_NAME), |shown| {
        let issue = rendered(theme, site, period, posts, shown)?;
        let size = issue.largest_html();
        Ok((issue, size))
    })
}

/// A digest whose HTML shows so many of its posts.
fn rendered(
    theme: &Theme,
    site: &SiteContext,
    period: &Period,
    posts: &[&Post],
    shown: usize,
) -> Result<Issue, Diagnostic> {
    let about = period.id();
    let parts = std::iter::once(about.as_str()).chain(posts.iter().map(|post| post.id.as_str()));
    let mail = Mail {
        templates: &TEMPLATES,
        nonce: super::digest(parts.map(str::as_bytes)),
        about,
        html: context(theme, site, period, posts, shown),
        text: context(theme, site, period, posts, posts.len()),
        web_url: site.publication.base_url.join(""),
        commit: None,
    };
    mail.issue(theme)
}

fn context(theme: &Theme, site: &SiteContext, period: &Period, posts: &[&Post], shown: usize) -> Context {
    let publication = site.publication;
    let language = &publication.language;
    let newest_first = || posts.iter().rev().take(shown);
    let views: Vec<PostView> = newest_first().map(|post| PostView::new(post, site, Here::Anywhere)).collect();
    let summaries: Vec<String> = newest_first().map(|post| text::behind("  ", &post.summary)).collect();
    let mut context = Context::new();
    context.insert("site", &SiteView::new(site, theme, Here::Anywhere, language));
    context.insert(
        "digest",
        &DigestView {
            cadence: period.cadence.word(),
            first: day(period.first, language),
            last: day(period.last_day(), language),
            count: posts.len(),
            left: posts.len() - shown,
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
