//! What spam filters and wary readers take a mail for advertising or fraud by. Looked for only when
//! a check asks; every finding is a guess at other people's rules, so none is more than a warning.

use std::ops::Range;

use url::Url;

use super::links::Linker;
use super::places::Places;
use crate::diagnostic::Diagnostic;
use crate::domain::document::{Block, Document, Inline, Target, plain_text};

/// What filters and readers take for advertising in a subject.
const SHOUTS: [&str; 8] = ["free!", "100%", "act now", "click here", "winner", "$$$", "urgent", "limited time"];

/// Services that hide where a link leads; blocklists hold them for what others do with them.
const SHORTENERS: [&str; 20] = [
    "bit.ly",
    "bl.ink",
    "buff.ly",
    "cutt.ly",
    "goo.gl",
    "is.gd",
    "lnkd.in",
    "ow.ly",
    "rb.gy",
    "rebrand.ly",
    "s.id",
    "short.io",
    "shorturl.at",
    "t.co",
    "t.ly",
    "tiny.cc",
    "tinyurl.com",
    "trib.al",
    "v.gd",
    "x.co",
];

/// Fewer words than these beside a picture are none to a filter.
const FEW_WORDS: usize = 20;

/// So many links are no matter.
const MANY_LINKS: usize = 20;
/// With fewer words for each of them, what its own words are included, the mail is a list of links.
const WORDS_FOR_A_LINK: usize = 4;

impl Linker<'_> {
    /// A link and its words: whether they say another address, and whether the address says nothing.
    pub(super) fn suspect_link(&mut self, target: &Target, words: &str, span: &Range<usize>) {
        let own = self.own_host();
        let leads_to = match target {
            Target::Url(url) => host_of(url),
            Target::Site(_) | Target::Fragment(_) => Some(own),
        };
        let Some(leads_to) = leads_to else { return };
        if let Some(said) = said_host(words).filter(|said| !is_same_site(said, &leads_to)) {
            let message = format!("the words of the link say `{said}`, and it leads to `{leads_to}`");
            self.warn(
                "link-mismatch",
                span,
                message,
                "write where it leads, or words that are no address: fraud looks so",
            );
        }
        if SHORTENERS.contains(&leads_to.as_str()) {
            let message = format!("`{leads_to}` hides where the link leads, and many filters refuse it");
            self.warn("link-shortener", span, message, "link to the page itself");
        }
    }
}

/// The host of a web address, without `www.`.
fn host_of(url: &str) -> Option<String> {
    let url = Url::parse(url).ok().filter(|url| matches!(url.scheme(), "http" | "https"))?;
    Some(url.host_str()?.trim_start_matches("www.").to_owned())
}

/// The host that some words are the address of.
fn said_host(words: &str) -> Option<String> {
    let words = words.trim();
    if words.contains(char::is_whitespace) {
        return None;
    }
    if words.starts_with("http://") || words.starts_with("https://") {
        return host_of(words);
    }
    words.starts_with("www.").then(|| host_of(&format!("https://{words}"))).flatten()
}

fn is_same_site(one: &str, other: &str) -> bool {
    one == other || one.ends_with(&format!(".{other}")) || other.ends_with(&format!(".{one}"))
}

/// A post as a mail.
pub(super) struct Letter<'a> {
    pub places: Places<'a>,
    /// Where its body begins, in bytes.
    pub body: usize,
    pub title: &'a str,
    pub document: &'a Document,
}

impl Letter<'_> {
    /// What is suspicious about the whole of it.
    pub fn suspicions(&self) -> impl Iterator<Item = Diagnostic> {
        let mut tally = Tally::default();
        tally.blocks(&self.document.blocks);
        self.subject().into_iter().chain(self.substance(&tally)).chain(self.links(&tally))
    }

    /// What makes a subject look like advertising.
    fn subject(&self) -> Option<Diagnostic> {
        let title = self.title;
        let letters = title.chars().filter(|c| c.is_alphabetic()).count();
        let is_loud = |c: char| c.is_uppercase();
        let lower = title.to_lowercase();
        let reason = if letters > 10 && title.chars().filter(|c| is_loud(*c)).count() == letters {
            "is all capitals".to_owned()
        } else if title.matches(['!', '！']).count() > 1 {
            "has more than one `!`".to_owned()
        } else {
            let word = SHOUTS.iter().find(|word| lower.contains(*word))?;
            format!("holds `{word}`")
        };
        let place = self.places.title(title);
        let message = format!("the subject `{title}` {reason}: filters take that for advertising");
        Some(Diagnostic::warning("subject-shouts", place, message).help("say it quietly"))
    }

    /// Pictures instead of words, or neither.
    fn substance(&self, tally: &Tally) -> Option<Diagnostic> {
        let (code, message, help) = match tally {
            Tally { words: 0, images: 0, is_more: false, .. } => (
                "text-missing",
                "the mail of this post would be empty".to_owned(),
                "write something, or keep it out with `email: false`",
            ),
            Tally { words, images: 1.., is_more: false, .. } if *words < FEW_WORDS => (
                "image-only",
                format!("the mail is pictures and {words} words: filters cannot read it, nor can who sees no pictures"),
                "say in words what the pictures say",
            ),
            _ => return None,
        };
        Some(Diagnostic::warning(code, self.places.body(self.body), message).help(help))
    }

    /// Links without words between them.
    fn links(&self, tally: &Tally) -> Option<Diagnostic> {
        if tally.links < MANY_LINKS || tally.words >= tally.links * WORDS_FOR_A_LINK {
            return None;
        }
        let message = format!(
            "{} links in {} words: filters take such a mail for a list of advertisements",
            tally.links, tally.words
        );
        let help = "say a few words about each link, or leave some to the web";
        Some(Diagnostic::warning("links-many", self.places.body(self.body), message).help(help))
    }
}

/// What a document holds.
#[derive(Debug, Default)]
struct Tally {
    words: usize,
    images: usize,
    links: usize,
    /// Whether there is what is none of these: code, formulas, raw HTML.
    is_more: bool,
}

impl Tally {
    fn blocks(&mut self, blocks: &[Block]) {
        for block in blocks {
            match block {
                Block::Paragraph(line) | Block::Heading { content: line, .. } => self.line(line),
                Block::Figure { caption, .. } => {
                    self.images += 1;
                    self.line(caption);
                }
                Block::Quote(blocks) | Block::Admonition { blocks, .. } => self.blocks(blocks),
                Block::List { items, .. } => items.iter().for_each(|item| self.blocks(&item.blocks)),
                Block::Table { head, rows, .. } => {
                    head.iter().chain(rows.iter().flatten()).for_each(|cell| self.line(cell));
                }
                Block::Definitions(definitions) => definitions.iter().for_each(|definition| {
                    self.line(&definition.term);
                    definition.meanings.iter().for_each(|meaning| self.blocks(meaning));
                }),
                Block::Html(html) => self.is_more |= !html.trim_start().starts_with("<!--"),
                Block::Code { .. } | Block::Math(_) => self.is_more = true,
                Block::Rule | Block::More => {}
            }
        }
    }

    fn line(&mut self, line: &[Inline]) {
        self.words += plain_text(line).split_whitespace().count();
        self.inlines(line);
    }

    fn inlines(&mut self, inlines: &[Inline]) {
        for inline in inlines {
            match inline {
                Inline::Image(_) => self.images += 1,
                Inline::Link { content, .. } => {
                    self.links += 1;
                    self.inlines(content);
                }
                Inline::Emphasis(inner)
                | Inline::Strong(inner)
                | Inline::Strikethrough(inner)
                | Inline::Superscript(inner)
                | Inline::Subscript(inner) => self.inlines(inner),
                Inline::Html(html) => self.is_more |= !html.starts_with("<!--"),
                Inline::Text(_)
                | Inline::Code(_)
                | Inline::Math(_)
                | Inline::FootnoteReference(_)
                | Inline::SoftBreak
                | Inline::HardBreak => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_that_are_an_address_are_told_from_others() {
        for (words, host) in [
            ("https://www.a.example/x", Some("a.example")),
            (" www.a.example ", Some("a.example")),
            ("node.js", None),
            ("and/or", None),
            ("http://a.example is down", None),
            ("https://", None),
        ] {
            assert_eq!(said_host(words).as_deref(), host, "{words}");
        }
        assert!(is_same_site("a.example", "docs.a.example") && is_same_site("docs.a.example", "a.example"));
        assert!(!is_same_site("a.example", "bana.example"));
    }
}
