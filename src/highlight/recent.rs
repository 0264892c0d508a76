//! What was taken to pieces lately. A page and a mail show the same code, and a text may show the
//! same few lines again and again; a grammar takes longer than all the rest of a page.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::Span;

/// The most bytes of code that are remembered at a time: those of one large post.
const ROOM: usize = 512 * 1024;

/// The spans of code, by language and text.
pub(super) struct Recent(Mutex<Shelf>);

#[derive(Default)]
struct Shelf {
    known: HashMap<String, HashMap<String, Arc<[Span]>>>,
    used: usize,
}

impl Recent {
    pub fn new() -> Self {
        Self(Mutex::default())
    }

    /// What is known of a text, or else what `parse` makes of it. Two threads may both make it;
    /// neither waits for the other.
    pub fn spans(&self, language: &str, text: &str, parse: impl FnOnce() -> Vec<Span>) -> Arc<[Span]> {
        if let Some(spans) = self.shelf().find(language, text) {
            return spans;
        }
        let spans: Arc<[Span]> = parse().into();
        self.shelf().put(language, text, &spans);
        spans
    }

    fn shelf(&self) -> std::sync::MutexGuard<'_, Shelf> {
        // Whoever panicked left at worst less than there was: it is only a memory.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shelf {
    fn find(&self, language: &str, text: &str) -> Option<Arc<[Span]>> {
        self.known.get(language)?.get(text).cloned()
    }

    /// Puts in one more; where there is no room for it, all that was there goes.
    fn put(&mut self, language: &str, text: &str, spans: &Arc<[Span]>) {
        let size = language.len() + text.len() + size_of_val(&**spans);
        if size > ROOM {
            return;
        }
        if self.used + size > ROOM {
            *self = Self::default();
        }
        self.used += size;
        self.known.entry(language.to_owned()).or_default().insert(text.to_owned(), Arc::clone(spans));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::highlight::Token;

    fn one(end: usize) -> Vec<Span> {
        vec![Span { range: 0..end, token: Token::Comment }]
    }

    #[test]
    fn the_same_text_in_the_same_language_is_taken_to_pieces_once() {
        let recent = Recent::new();
        for (language, text, end, expected) in [("a", "x", 1, 1), ("a", "x", 2, 1), ("b", "x", 3, 3), ("a", "y", 4, 4)]
        {
            assert_eq!(recent.spans(language, text, || one(end))[0].range.end, expected, "{language} {text}");
        }
    }

    #[test]
    fn what_is_remembered_has_a_bound_and_what_is_larger_is_not_remembered() {
        let recent = Recent::new();
        let bytes = || recent.shelf().known.values().flat_map(HashMap::keys).map(String::len).sum::<usize>();
        for nth in 0..10 {
            recent.spans("a", &nth.to_string().repeat(ROOM / 3), || one(1));
            assert!(bytes() <= ROOM, "after {nth}");
        }
        let large = "x".repeat(ROOM + 1);
        recent.spans("a", &large, || one(1));
        assert_eq!(recent.spans("a", &large, || one(2))[0].range.end, 2);
        assert_eq!(recent.spans("a", &"9".repeat(ROOM / 3), || one(3))[0].range.end, 1);
    }
}
