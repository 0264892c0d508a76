//! Where in its file a post says something, found when somebody complains of it.

use std::ops::Range;

use super::head::title_span;
use crate::diagnostic::Place;

/// The places of a post's file.
#[derive(Clone, Copy)]
pub(super) struct Places<'a> {
    /// As its author names it.
    pub(super) name: &'a str,
    pub(super) text: &'a str,
}

impl Places<'_> {
    /// Where the title is said: in the front matter, or where its words stand first.
    pub(super) fn title(self, title: &str) -> Place {
        title_span(self.text).map_or_else(|| self.words(title), |span| self.span(span))
    }

    /// Where words stand first; the first line if they stand nowhere as they are.
    pub(super) fn words(self, words: &str) -> Place {
        match self.text.find(words) {
            Some(at) => self.span(at..at + words.len()),
            None => Place::line(self.name, 1),
        }
    }

    /// Where the text begins, which is the body from a byte on.
    pub(super) fn body(self, body: usize) -> Place {
        let rest = &self.text[body..];
        let at = self.text.len() - rest.trim_start().len();
        self.span(at..at)
    }

    fn span(self, span: Range<usize>) -> Place {
        Place::span(self.name, self.text, span)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_file_says_is_found_where_it_says_it() {
        let places = |text| Places { name: "a.md", text };
        let at = |place: Place| (place.line, place.column);
        let text = "---\ndate: 2025-01-15\ntitle: \"A: b\"\naliases: [/old/]\n---\n\n\nThe text.\n";
        assert_eq!(at(places(text).title("A: b")), (3, 8));
        assert_eq!(at(places(text).words("/old/")), (4, 11));
        assert_eq!(at(places(text).words("not there")), (1, 0));
        assert_eq!(at(places(text).body(text.find("\n\n\n").unwrap())), (8, 1));
        assert_eq!(at(places("One\n\n# Heading\n").title("Heading")), (3, 3));
        assert_eq!(at(places("---\ntitle: a\n---\n").body(17)), (4, 1));
    }
}
