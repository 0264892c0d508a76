//! The document as HTML, for the web, for feeds and for mail.
//!
//! One walk, three media: what they share (paragraphs, emphasis, lists) is written once, and
//! where they differ a `match` on [`Medium`] says how.

mod balance;
mod blocks;
mod code;
mod depth;
mod escape;
mod formulas;
mod images;
mod inlines;
mod notes;
mod plain;
mod raw;
mod raw_images;
mod sanitize;
mod tables;
#[cfg(test)]
mod tests;

use crate::domain::document::Document;
use crate::domain::post::{Article, Post};
use crate::domain::publication::Publication;
use crate::domain::words::{Vocabulary, Word};
use crate::pictures::Pictures;

use super::links::{Links, Reach};
use super::views::words;
use crate::domain::walk::Outline;

#[cfg(test)]
pub(super) use balance::as_browsers_read;
pub(super) use balance::balanced;
use balance::contained;
use depth::shallow_source;
pub(super) use escape::{push_attribute, push_text};
use plain::{are_plain, is_plain};
pub(super) use raw::{Piece, attribute, pieces, tag_name, tamed, with_images};
pub(super) use sanitize::Sanitizer;

/// What the HTML is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Medium {
    /// Our own pages: classes for the stylesheet, raw HTML as the author wrote it.
    Web,
    /// Feed readers: no class, no style, no script; everything absolute.
    Feed,
    /// Mail clients: classes for the inliner, tables where Outlook needs them, no `details`.
    Mail,
}

/// Whether the words of code are told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Colours {
    /// By classes, where the medium has a stylesheet.
    Classes,
    /// Not at all: it saves half of a mail with much code.
    None,
}

/// The body of a post for a medium. Raw HTML is balanced for the web, and
/// sanitised for feeds and mail.
pub(super) fn body(article: &Article, publication: &Publication, pictures: &Pictures, medium: Medium) -> String {
    body_in(Colours::Classes, article, publication, pictures, medium)
}

/// The body of a post, with colours or without.
pub(super) fn body_in(
    colours: Colours,
    article: &Article,
    publication: &Publication,
    pictures: &Pictures,
    medium: Medium,
) -> String {
    let reach = match medium {
        Medium::Web => Reach::Page,
        Medium::Feed | Medium::Mail => Reach::Absolute,
    };
    let links = Links::new(&publication.base_url, article.post.site_path(), reach);
    let words = words(&article.post, publication);
    // Parsing is by far the dearest step. In plain HTML there is nothing to close or to remove:
    // the rest was written and escaped by us. The test `parsing_plain_html_changes_nothing`
    // proves it.
    let writer = || Writer::new(article, words, links.clone(), pictures, medium, colours);
    match medium {
        // The author's own site trusts the author.
        Medium::Web => balanced_by_blocks(writer()).unwrap_or_else(|| balanced(&shallow_source(&written(writer())))),
        Medium::Feed | Medium::Mail if is_plain(&article.document) => written(writer()),
        Medium::Feed | Medium::Mail => Sanitizer::new(&links, medium).clean(&written(writer())),
    }
}

/// The body with each block balanced that has raw HTML, and nothing else read again; `None` when one
/// of them reaches into the next. A page of links with one `<span>` is mostly links.
fn balanced_by_blocks(mut writer: Writer<'_>) -> Option<String> {
    for block in writer.document.blocks.chunks(1) {
        let start = writer.out.len();
        writer.blocks(block);
        if !are_plain(block) {
            balance_from(&mut writer.out, start)?;
        }
    }
    let start = writer.out.len();
    writer.notes();
    if !writer.document.footnotes.iter().all(|note| are_plain(&note.blocks)) {
        balance_from(&mut writer.out, start)?;
    }
    Some(writer.out)
}

fn balance_from(out: &mut String, start: usize) -> Option<()> {
    let balanced = contained(&shallow_source(&out[start..]))?;
    out.truncate(start);
    out.push_str(&balanced);
    Some(())
}

/// How many bytes the body of a mail without colours has before each block, and in all: without its
/// notes, and before raw HTML is sanitised.
pub(super) fn lengths(article: &Article, publication: &Publication, pictures: &Pictures) -> Vec<usize> {
    let links = Links::new(&publication.base_url, article.post.site_path(), Reach::Absolute);
    let words = words(&article.post, publication);
    let mut writer = Writer::new(article, words, links, pictures, Medium::Mail, Colours::None);
    let mut lengths = vec![0];
    for block in article.document.blocks.chunks(1) {
        writer.blocks(block);
        lengths.push(writer.out.len());
    }
    lengths
}

fn written(mut writer: Writer<'_>) -> String {
    writer.blocks(&writer.document.blocks);
    writer.notes();
    writer.out
}

/// Writes one document for one medium.
struct Writer<'a> {
    out: String,
    /// What is said beside the author's own words.
    words: Vocabulary<'a>,
    links: Links,
    medium: Medium,
    colours: Colours,
    pictures: &'a Pictures,
    post: &'a Post,
    document: &'a Document,
    /// Makes the ids of this post's notes unlike those of any other post shown beside it.
    note_prefix: String,
    /// How often each footnote was referred to so far.
    note_uses: Vec<usize>,
    /// Which levels the headings are shown at.
    outline: Outline,
    /// A link cannot hold another (HTML, 4.5.1): inside one, only words are written.
    inside_link: bool,
}

impl<'a> Writer<'a> {
    fn new(
        article: &'a Article,
        words: Vocabulary<'a>,
        links: Links,
        pictures: &'a Pictures,
        medium: Medium,
        colours: Colours,
    ) -> Self {
        let Article { post, document } = article;
        Self {
            out: String::with_capacity(4096),
            words,
            links,
            medium,
            colours,
            pictures,
            post,
            document,
            note_prefix: post.slug.as_str().replace(['/', '.'], "-"),
            note_uses: vec![0; document.footnotes.len()],
            outline: Outline::of(document),
            inside_link: false,
        }
    }

    fn open(&mut self, tag: &str) {
        self.out.push('<');
        self.out.push_str(tag);
        self.out.push('>');
    }

    fn close(&mut self, tag: &str) {
        self.out.push_str("</");
        self.out.push_str(tag);
        self.out.push('>');
    }

    fn text(&mut self, text: &str) {
        push_text(&mut self.out, text);
    }

    /// A word of the interface as a text.
    fn word(&mut self, word: Word) {
        let said = self.words.word(word);
        self.text(said);
    }

    fn attribute(&mut self, name: &str, value: &str) {
        push_attribute(&mut self.out, name, value);
    }

    /// Writes a class for the media that have a stylesheet.
    fn class(&mut self, class: &str) {
        match self.medium {
            Medium::Web | Medium::Mail => self.attribute("class", class),
            Medium::Feed => {}
        }
    }
}
