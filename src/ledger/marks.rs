//! The mark file: what a killed process leaves in the page cache.

/// The number of a slot in the mark file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct MarkSlot(pub(super) u32);
