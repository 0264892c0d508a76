//! Texts of pages that were written while their posts were being read.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crate::domain::ids::PostId;

/// How many bytes of texts are held: those of some ten thousand posts. What does not fit is
/// parsed and written again when its page is made.
const ROOM: usize = 256 << 20;

/// Texts waiting for their pages. A page shows its neighbours, which are known only when every
/// post is read; its text needs nobody, so it is written when the post is parsed, and is a fifth
/// as large as what it was parsed into.
#[derive(Debug, Default)]
pub struct Bodies(Mutex<Held>);

#[derive(Debug, Default)]
struct Held {
    texts: HashMap<PostId, String>,
    bytes: usize,
}

impl Bodies {
    /// Holds the text of a post, if there is room.
    pub fn hold(&self, post: &PostId, mut text: String) {
        text.shrink_to_fit();
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if held.bytes + text.len() <= ROOM {
            held.bytes += text.len();
            held.texts.insert(post.clone(), text);
        }
    }

    /// Hands out the text of a post, once.
    pub(super) fn take(&self, post: &PostId) -> Option<String> {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let text = held.texts.remove(post)?;
        held.bytes -= text.len();
        Some(text)
    }
}
