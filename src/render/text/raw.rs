//! The words of raw HTML.
//!
//! The sanitiser parses it first; what it returns is regular enough to be read tag by tag.

use super::Writer;
use super::flow::Flow;
use crate::render::html::{Medium, Piece, attribute, pieces, sanitized, tag_name, tamed};

/// Elements whose content is not for readers.
const HIDDEN: [&str; 2] = ["script", "style"];

/// Elements that begin and end on lines of their own.
const BLOCKS: [&str; 27] = [
    "p",
    "div",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "ul",
    "ol",
    "li",
    "dl",
    "dt",
    "dd",
    "table",
    "tr",
    "thead",
    "tbody",
    "blockquote",
    "section",
    "figure",
    "figcaption",
    "pre",
    "center",
    "caption",
    "hr",
    "tfoot",
];

impl Writer {
    /// One raw tag in running text. An `<a>` and its `</a>` arrive apart.
    pub(super) fn raw_inline(&mut self, html: &str, flow: &mut Flow) {
        let name = tag_name(html);
        if let Some(element) = HIDDEN.into_iter().find(|hidden| *hidden == name) {
            self.hidden = Some(element);
            return;
        }
        let clean = sanitized(&tamed(html), &self.links, Medium::Mail);
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
        let clean = sanitized(&tamed(html), &self.links, Medium::Mail);
        let mut flow = Flow::default();
        self.push_pieces(&clean, &mut flow);
        if flow.is_empty() { Vec::new() } else { flow.lines(width) }
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
                    flow.text(&format!("[image: {}]", alt.trim()));
                }
            }
            "li" => {
                flow.line_break();
                flow.text("- ");
            }
            "td" | "th" => flow.space(),
            other if BLOCKS.contains(&other.trim_start_matches('/')) => flow.line_break(),
            _ => {}
        }
    }

    fn end_raw_link(&mut self, flow: &mut Flow) {
        if let Some(url) = self.raw_link.take() {
            self.push_number(&url, flow);
        }
    }
}

/// The few entities that the sanitiser writes, as characters.
fn decoded(text: &str) -> String {
    text.replace("&nbsp;", "\u{a0}")
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&amp;", "&")
}
