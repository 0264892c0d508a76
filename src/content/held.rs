//! The texts of the newest posts, held from when they were parsed: they are what feeds and mails
//! carry, and each of those would parse them once more.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::domain::document::Document;
use crate::domain::post::Post;

/// The most bytes of Markdown whose texts are held. Parsed they have several times as many.
const ROOM: usize = 1024 * 1024;

/// Which text it is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Label<'a> {
    /// The file as its author names it, and the digest of its bytes.
    source: &'a str,
    digest: &'a str,
    /// The moment of its post, in seconds.
    moment: i64,
}

impl<'a> Label<'a> {
    pub(super) fn of(post: &'a Post) -> Self {
        Self { source: &post.source, digest: &post.source_digest, moment: post.date.timestamp() }
    }
}

/// Parsed texts. Where there is no room for all, the oldest go.
#[derive(Debug, Default)]
pub(super) struct Held(Mutex<Shelf>);

#[derive(Debug, Default)]
struct Shelf {
    /// By the names of the files.
    texts: HashMap<String, Text>,
    /// The same files, by the moments of their posts.
    by_age: BTreeMap<(i64, String), usize>,
    used: usize,
}

#[derive(Debug)]
struct Text {
    digest: String,
    document: Document,
}

impl Held {
    /// Holds a text of so many bytes of Markdown, as long as newer ones leave room for it.
    pub(super) fn put(&self, label: Label<'_>, size: usize, document: Document) {
        let Label { source, digest, moment } = label;
        // Taken to pieces when the others may go on: a tree is thousands of them.
        let mut gone = Vec::new();
        let mut shelf = self.shelf();
        let Shelf { texts, by_age, used } = &mut *shelf;
        if texts.insert(source.to_owned(), Text { digest: digest.to_owned(), document }).is_some() {
            return;
        }
        by_age.insert((moment, source.to_owned()), size);
        *used += size;
        while *used > ROOM
            && let Some(((_, source), size)) = by_age.pop_first()
        {
            gone.extend(texts.remove(&source));
            *used -= size;
        }
    }

    /// A text, if it is held.
    pub(super) fn get(&self, label: Label<'_>) -> Option<Document> {
        let shelf = self.shelf();
        let text = shelf.texts.get(label.source).filter(|text| text.digest == label.digest)?;
        Some(text.document.clone())
    }

    fn shelf(&self) -> MutexGuard<'_, Shelf> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::document::Block;

    fn label(source: &str, moment: i64) -> Label<'_> {
        Label { source, digest: "d", moment }
    }

    fn text(words: &str) -> Document {
        Document { blocks: vec![Block::Html(words.to_owned())], ..Document::default() }
    }

    #[test]
    fn a_text_is_found_as_long_as_its_file_is_the_same() {
        let held = Held::default();
        held.put(label("a", 1), 10, text("a"));
        assert_eq!(held.get(label("a", 1)), Some(text("a")));
        assert_eq!(held.get(Label { digest: "other", ..label("a", 1) }), None);
        assert_eq!(held.get(label("b", 1)), None);
    }

    #[test]
    fn where_the_room_ends_the_newest_stay_in_whatever_order_they_came() {
        let held = Held::default();
        for (source, moment) in [("c", 3), ("a", 1), ("d", 4), ("b", 2)] {
            held.put(label(source, moment), ROOM / 3, text(source));
        }
        let found = ["a", "b", "c", "d"].map(|source| held.get(label(source, 0)).is_some());
        assert_eq!(found, [false, true, true, true]);
        held.put(label("e", 5), ROOM + 1, text("e"));
        assert!(held.get(label("e", 5)).is_none() && held.shelf().used == 0);
    }

    #[test]
    fn a_text_held_twice_takes_its_room_once() {
        let held = Held::default();
        for _ in 0..5 {
            held.put(label("a", 1), ROOM / 2, text("a"));
        }
        assert!(held.get(label("a", 1)).is_some());
        assert_eq!(held.shelf().used, ROOM / 2);
    }
}
