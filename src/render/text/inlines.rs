//! Running text as plain text.

use super::Writer;
use super::flow::Flow;
use crate::domain::document::{Image, Inline, Target, plain_text};
use crate::domain::words::Word;
use crate::math;

impl Writer<'_> {
    pub(super) fn inlines(&mut self, inlines: &[Inline], flow: &mut Flow) {
        for inline in inlines {
            match (inline, self.hidden) {
                (Inline::Html(html), Some(element)) => self.reveal(element, html),
                (_, Some(_)) => {}
                (_, None) => self.inline(inline, flow),
            }
        }
    }

    fn inline(&mut self, inline: &Inline, flow: &mut Flow) {
        match inline {
            Inline::Text(text) => flow.text(text),
            Inline::Emphasis(inner) => self.between("_", inner, flow),
            Inline::Strong(inner) => self.between("*", inner, flow),
            Inline::Strikethrough(inner) => self.between("~", inner, flow),
            Inline::Superscript(inner) => self.moved("^", inner, flow),
            Inline::Subscript(inner) => self.moved("_", inner, flow),
            Inline::Code(code) => {
                flow.fixed("`");
                flow.code(code);
                flow.fixed("`");
            }
            Inline::Math(tex) => self.formula(tex, flow),
            Inline::Link { target, content, .. } => self.link(target, content, flow),
            Inline::Image(image) => {
                if !image.alt.trim().is_empty() {
                    flow.text(&self.image(image.alt.trim()));
                }
            }
            Inline::FootnoteReference(index) => flow.fixed(&format!("[^{}]", index + 1)),
            Inline::SoftBreak => flow.space(),
            Inline::HardBreak => flow.line_break(),
            Inline::Html(html) => self.raw_inline(html, flow),
        }
    }

    /// Letters where a formula is no more than that, else what its author typed.
    fn formula(&self, tex: &str, flow: &mut Flow) {
        if let Some(letters) = math::letters(tex, self.pictures.macros()) {
            return flow.code(&letters);
        }
        flow.fixed("$");
        flow.code(tex);
        flow.fixed("$");
    }

    fn between(&mut self, mark: &str, inner: &[Inline], flow: &mut Flow) {
        flow.fixed(mark);
        self.inlines(inner, flow);
        flow.fixed(mark);
    }

    /// Raised or lowered text: `x^2`, `e^(i pi)`.
    fn moved(&mut self, mark: &str, inner: &[Inline], flow: &mut Flow) {
        let one_word = plain_text(inner).chars().all(|c| c.is_alphanumeric() || "+-−".contains(c));
        flow.fixed(mark);
        if one_word {
            self.inlines(inner, flow);
        } else {
            flow.fixed("(");
            self.inlines(inner, flow);
            flow.fixed(")");
        }
    }

    fn link(&mut self, target: &Target, content: &[Inline], flow: &mut Flow) {
        let Some(url) = self.links.href(target) else {
            self.inlines(content, flow);
            return;
        };
        if is_bare(&plain_text(content), &url) {
            // An address reads better without `mailto:`, and mail programs link it all the same.
            flow.fixed(url.strip_prefix("mailto:").unwrap_or(&url));
            return;
        }
        self.inlines(content, flow);
        self.push_number(&url, flow);
    }

    /// Adds ` [n]` for a URL.
    pub(super) fn push_number(&mut self, url: &str, flow: &mut Flow) {
        let number = self.number_of(url);
        flow.space();
        flow.fixed(&format!("[{number}]"));
    }

    /// A picture that stands alone: it is named even when the author wrote no description.
    pub(super) fn picture(&self, image: &Image) -> Flow {
        let mut flow = Flow::default();
        flow.text(&match image.alt.trim() {
            "" => format!("[{}]", self.words.word(Word::Image)),
            alt => self.image(alt),
        });
        flow
    }

    /// A picture by its description.
    pub(super) fn image(&self, alt: &str) -> String {
        format!("[{}: {alt}]", self.words.word(Word::Image))
    }
}

/// Whether a link's words are the address itself: then it is written once, in full.
fn is_bare(words: &str, url: &str) -> bool {
    let without_scheme =
        url.strip_prefix("https://").or_else(|| url.strip_prefix("http://")).or_else(|| url.strip_prefix("mailto:"));
    let same = |address: &str| words.trim().trim_end_matches('/') == address.trim_end_matches('/');
    same(url) || without_scheme.is_some_and(same)
}
