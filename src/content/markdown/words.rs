//! What becomes of running text once all of it is there: widths of images, emoji by name,
//! bare addresses.

use super::attributes;
use super::emoji::emojify;
use super::linkify::linkify;
use crate::domain::bytes;
use crate::domain::document::Inline;

/// The text with its emoji, and with links where addresses stand; a link holds no other.
pub(super) fn finished(mut inlines: Vec<Inline>, is_linked: bool) -> Vec<Inline> {
    if !inlines.iter().any(may_change) {
        return inlines;
    }
    attributes::apply(&mut inlines);
    for inline in &mut inlines {
        if let Inline::Text(text) = inline
            && let Some(emojified) = emojify(text)
        {
            *text = emojified;
        }
    }
    if is_linked { inlines } else { linkify(inlines) }
}

/// Whether something may become of a piece: few hold a sign that any of these begins with.
fn may_change(inline: &Inline) -> bool {
    let Inline::Text(text) = inline else { return false };
    bytes::first(text.as_bytes(), |byte| matches!(byte, b':' | b'@')).is_some()
        || text.is_empty()
        || text.starts_with('{')
        || text.contains("www.")
}
