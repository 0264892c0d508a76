//! What becomes of running text once all of it is there: widths of images, emoji by name,
//! bare addresses.

use super::attributes;
use super::emoji::emojify;
use super::linkify::linkify;
use crate::domain::document::Inline;

/// The text with its emoji, and with links where addresses stand; a link holds no other.
pub(super) fn finished(mut inlines: Vec<Inline>, is_linked: bool) -> Vec<Inline> {
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
