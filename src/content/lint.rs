//! What an author may want to mend: nothing here keeps a post from its readers. Looked for only
//! when a check asks, since every place costs time and memory.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use super::links::Linker;
use super::parse::Parsed;
use super::{Look, Outbound};
use crate::diagnostic::{Diagnostic, Place};
use crate::domain::document::{Block, Document, Inline, Target, plain_text};

/// A file heavier than this makes readers on the road wait, in bytes.
const HEAVY: u64 = 1 << 20;

/// Words that say nothing about where a link leads.
const EMPTY_WORDS: [&str; 16] = [
    "here",
    "click here",
    "click",
    "this",
    "this link",
    "link",
    "read more",
    "more",
    "this page",
    "this post",
    "this article",
    "hier",
    "ici",
    "aquí",
    "qui",
    "url",
];

/// Marks that authors leave for themselves. `TK` is the press's word for "to come".
const LEFTOVERS: [&str; 5] = [concat!("TO", "DO"), concat!("FIX", "ME"), "TK", "TKTK", "XXX"];

/// What one post says about places elsewhere, with where it says it.
#[derive(Default)]
pub(super) struct Seen {
    look: Look,
    /// The level of the last heading.
    level: Option<u8>,
    /// Fragments linked to: the site path of the page, or this post's own.
    fragments: Vec<(Option<String>, String, Range<usize>)>,
    outbound: Vec<(String, Range<usize>)>,
}

impl Seen {
    pub(super) fn new(look: Look) -> Self {
        Self { look, ..Self::default() }
    }
}

impl Linker<'_> {
    /// Whether a check looks.
    pub(super) fn lints(&self) -> bool {
        self.seen.look == Look::Check
    }

    /// An image and its description.
    pub(super) fn saw_image(&mut self, alt: &str, span: &Range<usize>) {
        if self.lints() && alt.trim().is_empty() {
            let help = "say what it shows: `![what it shows](…)`; readers without images read that instead";
            self.warn("alt-missing", span, "the image has no description".to_owned(), help);
        }
    }

    /// A local file that is shown or linked.
    pub(super) fn saw_file(&mut self, bytes: u64, span: &Range<usize>) {
        if self.lints() && bytes > HEAVY {
            let message = format!("the file has {}.{} MB", bytes >> 20, ((bytes & 0xF_FFFF) * 10) >> 20);
            self.warn("file-heavy", span, message, "make it smaller: 1,200 pixels are wide enough for every screen");
        }
    }

    /// A link and its words.
    pub(super) fn saw_link(&mut self, target: &Target, content: &[Inline], span: &Range<usize>) {
        if !self.lints() {
            return;
        }
        let words = plain_text(content);
        self.suspect_link(target, &words, span);
        let said = words.trim().to_lowercase();
        if EMPTY_WORDS.contains(&said.trim_matches(['.', ':', '…', '!', '→', ' '])) {
            let message = format!("`{}` does not say where the link leads", words.trim());
            let help = "link the words that name the thing: screen readers list links without what surrounds them";
            self.warn("link-text", span, message, help);
        }
        match target {
            Target::Url(url) if url.starts_with("http") => self.seen.outbound.push((url.clone(), span.clone())),
            Target::Url(_) => {}
            Target::Fragment(name) => self.seen.fragments.push((None, name.clone(), span.clone())),
            Target::Site(path) => {
                if let Some((page, name)) = path.split_once('#') {
                    self.seen.fragments.push((Some(page.to_owned()), name.to_owned(), span.clone()));
                }
            }
        }
    }

    /// A heading and its level.
    pub(super) fn saw_heading(&mut self, level: u8, span: &Range<usize>) {
        if !self.lints() {
            return;
        }
        if let Some(above) = self.seen.level.filter(|above| level > above + 1) {
            let message = format!("a heading of level {level} follows one of level {above}");
            let help = format!("write {} signs: an outline has no gaps", "#".repeat(usize::from(above) + 1));
            self.warn("heading-order", span, message, &help);
        }
        self.seen.level = Some(level);
    }

    /// Running text.
    pub(super) fn saw_text(&mut self, text: &str, span: &Range<usize>) {
        if !self.lints() {
            return;
        }
        let words = text.split(|c: char| !c.is_alphanumeric());
        if let Some(mark) = words.into_iter().find(|word| LEFTOVERS.contains(word)) {
            let message = format!("`{mark}`: something was meant to be written or looked up");
            self.warn("leftover", span, message, "write it, or take the mark out");
        }
    }

    /// Raw HTML: its images, and what mail clients leave out.
    pub(super) fn saw_html(&mut self, html: &str, span: &Range<usize>) {
        if !self.lints() {
            return;
        }
        let tags = html.split("<img").skip(1).filter_map(|rest| rest.split('>').next());
        for _ in tags.filter(|tag| !tag.to_ascii_lowercase().contains("alt=")) {
            self.saw_image("", span);
        }
    }

    /// Complains of fragments that lead nowhere in this post itself, and hands on what leads to
    /// other pages.
    pub(super) fn sights(&self, document: Option<&Document>, out: &mut Vec<Diagnostic>) -> Sights {
        let place = |span: &Range<usize>| self.place(span.clone());
        let own = document.filter(|_| self.lints()).map(ids).unwrap_or_default();
        let mut sights = Sights::default();
        for (page, name, span) in &self.seen.fragments {
            match page {
                Some(page) => sights.fragments.push((page.clone(), name.clone(), place(span))),
                None if document.is_some() && !own.contains(name.as_str()) && !self.has_raw_id(name) => {
                    out.push(dead(name, "this post", place(span)));
                }
                None => {}
            }
        }
        sights.outbound =
            self.seen.outbound.iter().map(|(url, span)| Outbound { url: url.clone(), place: place(span) }).collect();
        sights.anchors = own.into_iter().map(str::to_owned).collect();
        sights
    }

    fn has_raw_id(&self, name: &str) -> bool {
        ["id=\"", "name=\"", "id='", "name='"].iter().any(|mark| self.text.contains(&format!("{mark}{name}")))
    }
}

/// What one post links to, and what links to it may name.
#[derive(Default, serde::Serialize, serde::Deserialize)]
pub(super) struct Sights {
    fragments: Vec<(String, String, Place)>,
    /// The ids of the post's own parts.
    anchors: Vec<String>,
    pub(super) outbound: Vec<Outbound>,
}

/// Complains of fragments of other posts that are not there.
pub(super) fn dead_fragments(posts: &[Parsed]) -> Vec<Diagnostic> {
    if posts.iter().all(|parsed| parsed.sights.fragments.is_empty()) {
        return Vec::new();
    }
    let read = posts.iter().filter_map(|parsed| Some((parsed.post.as_ref()?, &parsed.sights.anchors)));
    let pages: HashMap<&str, (&str, &Vec<String>)> =
        read.map(|(post, anchors)| (post.slug.as_str(), (post.source.as_str(), anchors))).collect();
    let mut out = Vec::new();
    for (page, name, place) in posts.iter().flat_map(|parsed| &parsed.sights.fragments) {
        let Some((source, anchors)) = pages.get(page.trim_end_matches('/')) else { continue };
        if !anchors.contains(name) {
            out.push(dead(name, &format!("`{source}`"), place.clone()));
        }
    }
    out
}

fn dead(name: &str, whose: &str, place: Place) -> Diagnostic {
    let message = format!("there is no heading `#{name}` in {whose}");
    Diagnostic::warning("missing-anchor", place, message)
        .help("correct the part behind `#`: lower case, hyphens for spaces, no punctuation")
}

fn ids(document: &Document) -> HashSet<&str> {
    let mut ids = HashSet::new();
    push_ids(&document.blocks, &mut ids);
    ids
}

fn push_ids<'d>(blocks: &'d [Block], ids: &mut HashSet<&'d str>) {
    for block in blocks {
        match block {
            Block::Heading { id, .. } => {
                ids.insert(id);
            }
            Block::Quote(blocks) | Block::Admonition { blocks, .. } => push_ids(blocks, ids),
            Block::List { items, .. } => items.iter().for_each(|item| push_ids(&item.blocks, ids)),
            Block::Html(html) => {
                let marks = ["id=\"", "name=\""];
                let values = marks.iter().flat_map(|mark| html.split(mark).skip(1));
                ids.extend(values.filter_map(|rest| rest.split('"').next()));
            }
            _ => {}
        }
    }
}
