//! The memory of messages that have left, for those to come.

use std::sync::{Mutex, MutexGuard};

/// Buffers to be used again. New memory for each message costs more than filling it: what is freed
/// in the order it was taken goes back to the system, page by page, and comes from there again.
#[derive(Default)]
pub(super) struct Spare(Mutex<Vec<Vec<u8>>>);

impl Spare {
    /// The buffer that came back last, or a new one. It holds what it held.
    pub fn take(&self) -> Vec<u8> {
        self.lock().pop().unwrap_or_default()
    }

    /// Takes a buffer back. There are never more than were in use at once.
    pub fn give(&self, buffer: Vec<u8>) {
        self.lock().push(buffer);
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Vec<u8>>> {
        self.0.lock().expect("no thread panics while holding this lock")
    }
}
