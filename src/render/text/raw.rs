//! The words of raw HTML.
//!
//! The sanitiser parses it first; what it returns is regular enough to be read tag by tag.

use super::Writer;
use super::flow::Flow;
use crate::render::html::{Medium, Piece, Sanitizer, attribute, pieces, tag_name, tamed};

/// Elements whose content is not for readers.
const HIDDEN: [&str; 2] = ["script", "style"];

/// Elements with a blank line before and after.
const PARAGRAPHS: [&str; 15] =
    ["p", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "dl", "table", "blockquote", "section", "figure", "pre"];

/// Elements that begin and end on lines of their own.
const LINES: [&str; 8] = ["div", "li", "dt", "dd", "tr", "figcaption", "center", "caption"];

impl Writer<'_> {
    /// One raw tag in running text. An `<a>` and its `</a>` arrive apart.
    pub(super) fn raw_inline(&mut self, html: &str, flow: &mut Flow) {
        let name = tag_name(html);
        if let Some(element) = HIDDEN.into_iter().find(|hidden| *hidden == name) {
            self.hidden = Some(element);
            return;
        }
        let clean = self.cleaned(html);
        match name.as_str() {
            "a" => self.raw_link = attribute(&clean, "href").map(decoded),
            "/a" => self.end_raw_link(flow),
            _ => self.push_pieces(&clean, flow),
        }
    }

    /// A raw tag inside hidden content: only the one that ends it matters.
    pub(super) fn reveal(&mut self, element: &str, html: &str) {
        if tag_name(html).strip_prefix('/') == Some(element) {
            self.hidden = None;
        }
    }

    /// A block of raw HTML as lines.
    pub(super) fn raw_block(&mut self, html: &str, width: usize) -> Vec<String> {
        let clean = self.cleaned(html);
        let mut flow = Flow::default();
        self.push_pieces(&clean, &mut flow);
        if flow.is_empty() { Vec::new() } else { flow.lines(width) }
    }

    fn cleaned(&self, html: &str) -> String {
        self.sanitizer.get_or_init(|| Sanitizer::new(&self.links, Medium::Mail)).clean(&tamed(html))
    }

    fn push_pieces(&mut self, clean: &str, flow: &mut Flow) {
        for piece in pieces(clean) {
            match piece {
                Piece::Text(text) => flow.text(&decoded(text)),
                Piece::Tag(tag) => self.push_tag(tag, flow),
                Piece::Comment(_) => {}
            }
        }
    }

    fn push_tag(&mut self, tag: &str, flow: &mut Flow) {
        let name = tag_name(tag);
        match name.as_str() {
            "a" => self.raw_link = attribute(tag, "href").map(decoded),
            "/a" => self.end_raw_link(flow),
            "br" => flow.line_break(),
            "img" => {
                let alt = attribute(tag, "alt").map(decoded).unwrap_or_default();
                if !alt.trim().is_empty() {
                    flow.text(&self.image(alt.trim()));
                }
            }
            "li" => {
                flow.at_least_breaks(1);
                flow.text("- ");
            }
            "hr" => {
                flow.at_least_breaks(2);
                flow.text("* * *");
                flow.at_least_breaks(2);
            }
            "td" | "th" => flow.space(),
            other => flow.at_least_breaks(breaks_around(other.trim_start_matches('/'))),
        }
    }

    fn end_raw_link(&mut self, flow: &mut Flow) {
        if let Some(url) = self.raw_link.take() {
            self.push_number(&url, flow);
        }
    }
}

/// How many line ends stand before and after an element.
fn breaks_around(element: &str) -> usize {
    if PARAGRAPHS.contains(&element) { 2 } else { usize::from(LINES.contains(&element)) }
}

/// The few entities that the sanitiser writes, as characters.
fn decoded(text: &str) -> String {
    text.replace("&nbsp;", "\u{a0}")
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&amp;", "&")
}
