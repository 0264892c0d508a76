//! The author's preview: the list of posts, and one post in all its forms.
//!
//! These pages are for one pair of eyes on one machine. Their templates are no part of a theme
//! and are not overlaid.

use serde::Serialize;
use tera::{Context, Tera};

use super::theme::engine;
use crate::diagnostic::{Diagnostic, Severity};
use crate::domain::entry::Entry;
use crate::domain::post::{Channel, Post, Visibility};

/// The stylesheet of the preview's own pages.
pub const STYLE: &str = include_str!("preview/style.css");

/// What makes a page show itself anew when `/revision` says another number.
pub const SCRIPT: &str = include_str!("preview/preview.js");

const TEMPLATES: [(&str, &str); 5] = [
    ("finding.html", include_str!("preview/finding.html")),
    ("frame.html", include_str!("preview/frame.html")),
    ("list.html", include_str!("preview/list.html")),
    ("nothing.html", include_str!("preview/nothing.html")),
    ("sheet.html", include_str!("preview/sheet.html")),
];

/// All posts at a glance.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Overview {
    /// The publication's title; empty while its settings cannot be read.
    pub title: String,
    /// What is wrong with something else than a post.
    pub problems: Vec<Finding>,
    /// The posts, newest first.
    pub posts: Vec<Glance>,
}

/// One post in a line.
#[derive(Debug, Clone, Serialize)]
pub struct Glance {
    slug: String,
    title: String,
    summary: String,
    /// The day, as ISO 8601 writes it.
    date: String,
    source: String,
    tags: Vec<String>,
    /// `draft`, `scheduled` or `public`.
    state: &'static str,
    /// Whether it is mailed, and in the feeds.
    mailed: bool,
    in_feeds: bool,
    errors: usize,
    warnings: usize,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// `error` or `warning`.
    severity: &'static str,
    code: &'static str,
    file: String,
    line: usize,
    column: usize,
    /// The line it is about; empty when it is about the whole file.
    text: String,
    /// As much white space as puts the carets under what is meant.
    indent: String,
    carets: String,
    message: String,
    help: String,
}

/// One post in all its forms.
#[derive(Debug, Clone, Serialize)]
pub struct Sheet {
    /// The post.
    pub glance: Glance,
    /// The path of its page in the preview.
    pub page: String,
    /// Its mail; `None` when none can be made, and a finding says why.
    pub mail: Option<Mail>,
    /// What feeds say of it; `None` when its text cannot be read, and a finding says why.
    #[serde(skip)]
    pub entry: Option<Entry>,
    /// What is wrong with it.
    pub findings: Vec<Finding>,
}

/// What a mail is besides its HTML.
#[derive(Debug, Clone, Serialize)]
pub struct Mail {
    /// The subject line.
    pub subject: String,
    /// The header section.
    pub headers: String,
    /// The text part.
    pub text: String,
    /// The size of the HTML part, which Gmail clips at 102 KB.
    pub html_bytes: usize,
    /// The size of the whole message.
    pub message_bytes: usize,
}

impl Glance {
    /// A post, with what is wrong with it.
    pub fn of(post: &Post, findings: &[Finding]) -> Self {
        let count = |severity| findings.iter().filter(|one| one.severity == severity).count();
        Self {
            slug: post.slug.as_str().to_owned(),
            title: post.title.clone(),
            summary: post.summary.clone(),
            date: post.date.format("%Y-%m-%d").to_string(),
            source: post.source.clone(),
            tags: post.tags.clone(),
            state: match post.visibility {
                Visibility::Draft => "draft",
                Visibility::Scheduled => "scheduled",
                Visibility::Public => "public",
            },
            mailed: post.email == Channel::On,
            in_feeds: post.feed == Channel::On,
            errors: count("error"),
            warnings: count("warning"),
        }
    }
}

impl Finding {
    /// A diagnostic as the preview shows it.
    pub fn of(diagnostic: &Diagnostic) -> Self {
        let place = &diagnostic.place;
        // A tab stays a tab, so that the caret stands where the browser puts the text.
        let before = place.text.chars().take(place.column.saturating_sub(1));
        Self {
            severity: match diagnostic.severity {
                Severity::Error => "error",
                Severity::Warning => "warning",
            },
            code: diagnostic.code,
            file: place.file.display().to_string(),
            line: place.line,
            column: place.column,
            indent: before.map(|c| if c == '\t' { '\t' } else { ' ' }).collect(),
            carets: "^".repeat(place.width),
            text: place.text.clone(),
            message: diagnostic.message.clone(),
            help: diagnostic.help.clone().unwrap_or_default(),
        }
    }
}

/// The page of all posts.
pub fn overview(overview: &Overview) -> String {
    let mut context = Context::new();
    context.insert("overview", overview);
    page("list.html", &context)
}

/// The page of one post.
pub fn sheet(sheet: &Sheet) -> String {
    let mut context = Context::new();
    context.insert("sheet", sheet);
    context.insert("facts", &sheet.entry.as_ref().map(facts).unwrap_or_default());
    page("sheet.html", &context)
}

/// What an entry says beside its text.
fn facts(entry: &Entry) -> Vec<(&'static str, String)> {
    let facts = [
        ("id", entry.id.as_str().to_owned()),
        ("link", entry.url.clone()),
        ("title", entry.title.clone()),
        ("published", entry.published.to_rfc3339()),
        ("updated", entry.updated.to_rfc3339()),
        ("authors", entry.authors.iter().map(|author| author.name.as_str()).collect::<Vec<_>>().join(", ")),
        ("categories", entry.tags.join(", ")),
        ("summary", entry.summary.clone()),
        ("image", entry.image.clone().unwrap_or_default()),
    ];
    facts.into_iter().filter(|(_, value)| !value.is_empty()).collect()
}

/// The page for an address where nothing is.
pub fn nothing() -> String {
    page("nothing.html", &Context::new())
}

fn page(template: &str, context: &Context) -> String {
    let mut tera: Tera = engine();
    tera.add_raw_templates(TEMPLATES).expect("a test renders every built-in template of the preview");
    tera.render(template, context).expect("a test renders every built-in template of the preview")
}
