//! Texts of pages that were written while their posts were being read.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::domain::ids::PostId;

/// How many bytes of texts are held: those of some ten thousand posts. What does not fit is
/// parsed and written again when its page is made.
const ROOM: usize = 256 << 20;

/// How many bytes a block has, unless a single text has more. One by one, the texts would lie
/// scattered among what parsing takes and gives back, and to find room between them took a tenth
/// of the time that ten thousand posts need.
const BLOCK: usize = 4 << 20;

/// Texts waiting for their pages. A page shows its neighbours, which are known only when every
/// post is read; its text needs nobody, so it is written when the post is parsed, and is a fifth
/// as large as what it was parsed into.
#[derive(Debug, Default)]
pub struct Bodies(Mutex<Held>);

#[derive(Debug, Default)]
struct Held {
    blocks: Vec<Block>,
    /// The block of each text, and its place there.
    texts: HashMap<PostId, (usize, Range<usize>)>,
    bytes: usize,
}

/// Texts one after the other.
#[derive(Debug, Default)]
struct Block {
    text: String,
    /// How many of them wait: when none does, the block goes.
    waiting: usize,
}

impl Bodies {
    /// Holds the text of a post, if there is room. A post has one text.
    pub fn hold(&self, post: &PostId, text: &str) {
        let mut held = self.held();
        if held.bytes + text.len() <= ROOM && !held.texts.contains_key(post) {
            let place = held.add(text);
            held.texts.insert(post.clone(), place);
        }
    }

    /// Hands out the text of a post, once.
    pub(super) fn take(&self, post: &PostId) -> Option<String> {
        let mut held = self.held();
        let (number, place) = held.texts.remove(post)?;
        held.bytes -= place.len();
        let is_last_block = number + 1 == held.blocks.len();
        let block = &mut held.blocks[number];
        let text = block.text[place].to_owned();
        block.waiting -= 1;
        match (block.waiting, is_last_block) {
            (0, true) => block.text.clear(),
            (0, false) => block.text = String::new(),
            _ => {}
        }
        Some(text)
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held {
    fn add(&mut self, text: &str) -> (usize, Range<usize>) {
        let has_room = |block: &Block| block.text.capacity() - block.text.len() >= text.len();
        if !self.blocks.last().is_some_and(has_room) {
            let block = String::with_capacity(text.len().max(BLOCK));
            self.blocks.push(Block { text: block, waiting: 0 });
        }
        let number = self.blocks.len() - 1;
        let block = &mut self.blocks[number];
        let start = block.text.len();
        block.text.push_str(text);
        block.waiting += 1;
        self.bytes += text.len();
        (number, start..block.text.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn post(number: usize) -> PostId {
        PostId::parse(&format!("post-{number}")).unwrap()
    }

    #[test]
    fn every_text_comes_back_once_whatever_its_block() {
        let bodies = Bodies::default();
        let text = |number: usize| format!("{number} {}", "größer ".repeat(BLOCK / 20 * (number % 4)));
        for number in 0..12 {
            bodies.hold(&post(number), &text(number));
        }
        assert!(bodies.held().blocks.len() > 2);
        for number in (0..12).rev() {
            assert!(bodies.take(&post(number)) == Some(text(number)), "text {number}");
            assert_eq!(bodies.take(&post(number)), None);
        }
        let held = bodies.held();
        let (last, others) = held.blocks.split_last().unwrap();
        assert!(others.iter().all(|block| block.text.capacity() == 0) && last.text.is_empty());
        assert_eq!(held.bytes, 0);
    }

    #[test]
    fn a_text_held_twice_takes_its_room_once() {
        let bodies = Bodies::default();
        for _ in 0..2 {
            bodies.hold(&post(1), "text");
        }
        assert_eq!(bodies.take(&post(1)).as_deref(), Some("text"));
        let held = bodies.held();
        assert_eq!((held.bytes, held.blocks[0].waiting), (0, 0));
    }

    #[test]
    fn what_does_not_fit_is_not_held() {
        let bodies = Bodies::default();
        let text = "x".repeat(ROOM / 2);
        for number in 0..3 {
            bodies.hold(&post(number), &text);
        }
        assert_eq!([0, 1, 2].map(|number| bodies.take(&post(number)).is_some()), [true, true, false]);
        bodies.hold(&post(3), &text);
        assert!(bodies.take(&post(3)).is_some(), "there is room again");
    }
}
