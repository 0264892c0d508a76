//! Blocks of code as HTML: with classes that the stylesheets of the web and of mail colour,
//! and plain for feeds.

use std::ops::{Range, RangeInclusive};
use std::sync::Arc;

use super::blocks::{MAIL_BOX, MAIL_BOX_END};
use super::{Colours, Medium, Writer};
use crate::highlight::{self, Span};

impl Writer<'_> {
    pub(super) fn code(
        &mut self,
        language: Option<&str>,
        title: Option<&str>,
        marked: &[RangeInclusive<usize>],
        text: &str,
    ) {
        self.code_opening(title);
        self.out.push_str(match self.medium {
            // A box that scrolls must be reachable by keyboard.
            Medium::Web => "<pre tabindex=\"0\"><code",
            Medium::Feed | Medium::Mail => "<pre><code",
        });
        if let (Some(language), Medium::Web) = (language, self.medium) {
            self.attribute("class", &format!("language-{language}"));
        }
        self.out.push('>');
        match self.medium {
            Medium::Web | Medium::Mail => self.code_lines(language, marked, text),
            Medium::Feed => self.text(text),
        }
        self.out.push_str("</code></pre>");
        self.code_closing(title);
        self.out.push('\n');
    }

    /// The lines, those that are marked in an element of their own.
    fn code_lines(&mut self, language: Option<&str>, marked: &[RangeInclusive<usize>], text: &str) {
        let spans = match (language, self.colours) {
            (Some(language), Colours::Classes) => highlight::spans(language, text),
            (None, _) | (Some(_), Colours::None) => Arc::default(),
        };
        let mut rest = &*spans;
        let mut done = 0;
        for lines in marked_bytes(marked, text) {
            rest = self.code_words(text, done..lines.start, rest);
            self.out.push_str("<span class=\"marked\">");
            rest = self.code_words(text, lines.clone(), rest);
            self.close("span");
            done = lines.end;
        }
        self.code_words(text, done..text.len(), rest);
    }

    /// A stretch of the text with what there is of spans in it; returns the spans that reach
    /// beyond it.
    fn code_words<'s>(&mut self, text: &str, stretch: Range<usize>, spans: &'s [Span]) -> &'s [Span] {
        let mut done = stretch.start;
        let mut rest = spans;
        while let Some(span) = rest.first().filter(|span| span.range.start < stretch.end) {
            let (start, end) = (span.range.start.max(stretch.start), span.range.end.min(stretch.end));
            self.text(&text[done..start]);
            self.out.push_str("<span class=\"");
            self.out.push_str(span.token.class());
            self.out.push_str("\">");
            self.text(&text[start..end]);
            self.close("span");
            done = end;
            if span.range.end > stretch.end {
                break;
            }
            rest = &rest[1..];
        }
        self.text(&text[done..stretch.end]);
        rest
    }

    fn code_opening(&mut self, title: Option<&str>) {
        match (self.medium, title) {
            (Medium::Web, Some(title)) => {
                self.out.push_str("<figure class=\"listing\"><figcaption>");
                self.text(title);
                self.out.push_str("</figcaption>");
            }
            (Medium::Web | Medium::Feed, None) => {}
            (Medium::Feed, Some(title)) => {
                self.out.push_str("<p><strong>");
                self.text(title);
                self.out.push_str("</strong></p>\n");
            }
            // Outlook pads and colours cells, not `pre`.
            (Medium::Mail, title) => {
                if let Some(title) = title {
                    self.out.push_str("<p class=\"listing-title\">");
                    self.text(title);
                    self.out.push_str("</p>\n");
                }
                self.out.push_str(MAIL_BOX);
                self.out.push_str("<td class=\"code\">");
            }
        }
    }

    fn code_closing(&mut self, title: Option<&str>) {
        match (self.medium, title) {
            (Medium::Web, Some(_)) => self.close("figure"),
            (Medium::Web, None) | (Medium::Feed, Some(_) | None) => {}
            (Medium::Mail, _) => self.out.push_str(MAIL_BOX_END),
        }
    }
}

/// The bytes of the marked lines, each stretch with its last line end; lines beyond the text
/// are left out.
fn marked_bytes<'m>(marked: &'m [RangeInclusive<usize>], text: &'m str) -> impl Iterator<Item = Range<usize>> + 'm {
    let line_ends = text.split_inclusive('\n').scan(0, |end, line| {
        *end += line.len();
        Some(*end)
    });
    let ends: Vec<usize> = if marked.is_empty() { Vec::new() } else { line_ends.collect() };
    marked.iter().filter_map(move |lines| {
        let first = lines.start().checked_sub(1)?;
        let start = if first == 0 { 0 } else { *ends.get(first - 1)? };
        let end = ends.get(lines.end() - 1).or(ends.last()).copied()?;
        (start < end).then_some(start..end)
    })
}

#[cfg(test)]
mod tests {
    use super::marked_bytes;

    #[test]
    fn marked_lines_end_with_the_text() {
        let bytes = |marked: &[std::ops::RangeInclusive<usize>], text| marked_bytes(marked, text).collect::<Vec<_>>();
        assert_eq!(bytes(&[1..=1, 3..=9], "a\nbc\nd\n"), [0..2, 5..7]);
        assert_eq!(bytes(&[1..=1, 2..=2], "a\nbc"), [0..2, 2..4]);
        assert!(bytes(&[5..=6], "a\n").is_empty());
        assert!(bytes(&[1..=1], "").is_empty());
    }
}
