//! The text part of real posts holds what their HTML part holds.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use url::Url;

use super::SITE;
use super::comrak::{corpus, newsletter};
use crate::content::{self, Options};
use crate::domain::post::Article;
use crate::domain::publication::SiteUrl;
use crate::pictures::Pictures;
use crate::render::html::{self, Medium, Piece, attribute, pieces, tag_name};
use crate::render::sample;
use crate::render::text;

fn load(root: &Path) -> Vec<Article> {
    let base_url = SiteUrl::parse(SITE).unwrap();
    let source = root.join(content::survey(root).source);
    let output = root.join("public");
    let options = Options {
        root,
        source: &source,
        output: &output,
        time_zone: chrono_tz::UTC,
        base_url: &base_url,
        default_author: None,
        known: &[],
        retired: &[],
        ignore: &[],
        pictures: &Arc::default(),
        now: "2026-06-01T00:00:00Z".parse().unwrap(),
        look: content::Look::Build,
        keep: None,
    };
    let content = content::load(&options, &|_| {});
    content.posts.iter().map(|post| content.texts.read(post).unwrap()).collect()
}

fn decoded(text: &str) -> String {
    let text = text.replace("&nbsp;", "\u{a0}").replace("&lt;", "<").replace("&gt;", ">");
    text.replace("&quot;", "\"").replace("&#39;", "'").replace("&amp;", "&")
}

/// The words of some text: letters and digits, as a reader would look for them.
fn words(text: &str) -> Vec<String> {
    text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

/// The words of some HTML in order. Those of a table's head are left out: where the table is
/// too wide, each row repeats them.
fn words_of(html: &str) -> Vec<String> {
    let mut in_head = false;
    let mut out = String::new();
    for piece in pieces(html) {
        match piece {
            Piece::Tag(tag) => {
                in_head = match tag_name(tag).as_str() {
                    "thead" => true,
                    "/thead" => false,
                    _ => in_head,
                };
                // A tag inside a word divides it for nobody; that of a block does.
                if !matches!(tag_name(tag).trim_start_matches('/'), "em" | "strong" | "code" | "a" | "del") {
                    out.push(' ');
                }
            }
            Piece::Text(text) if !in_head => out.push_str(&decoded(text)),
            Piece::Text(_) | Piece::Comment(_) => {}
        }
    }
    words(&out)
}

fn assert_holds_all(post: &Article) {
    let publication = sample::publication(SITE);
    let html = html::body(post, &publication, &Pictures::default(), Medium::Mail);
    let text = text::body(post, &publication, &Pictures::default());
    for piece in pieces(&html) {
        let Piece::Tag(tag) = piece else { continue };
        let Some(href) =
            attribute(tag, "href").map(decoded).filter(|href| tag_name(tag) == "a" && !href.starts_with('#'))
        else {
            continue;
        };
        let shown = href.strip_prefix("mailto:").unwrap_or(&href);
        assert!(text.contains(shown), "{}: {href} is not in the text", post.post.source);
        assert!(Url::parse(&href).is_ok(), "{}: {href} is not absolute", post.post.source);
    }
    let found = words(&text);
    let mut rest = found.iter();
    let wanted = words_of(&html);
    for (number, word) in wanted.iter().enumerate() {
        let before = &wanted[number.saturating_sub(8)..number];
        assert!(rest.any(|found| found == word), "{}: `{word}` behind {before:?} is not in the text", post.post.source);
    }
}

#[test]
fn the_text_of_three_issues_of_a_newsletter_has_every_word_and_link_of_the_html() {
    let folder = tempfile::tempdir().unwrap();
    if newsletter(folder.path()).is_none() {
        return;
    }
    let posts = load(folder.path());
    let named = ["2016-01-04", "2021-07-21", "2025-01-15"].map(|date| format!("content/{date}-this-week-in-rust.md"));
    let issues: Vec<&Article> = posts.iter().filter(|post| named.contains(&post.post.source)).collect();
    assert_eq!(issues.len(), 3);
    issues.into_iter().for_each(assert_holds_all);
}

#[test]
fn the_text_of_every_field_note_has_every_word_and_link_of_the_html() {
    let folder = tempfile::tempdir().unwrap();
    let Some(bundle) = corpus("ml-field-notes.bundle") else { return };
    let status = Command::new("git").args(["clone", "-q"]).arg(bundle).arg(folder.path()).status();
    assert!(status.unwrap().success());
    let posts = load(folder.path());
    assert!(!posts.is_empty());
    posts.iter().for_each(assert_holds_all);
}
