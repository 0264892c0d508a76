//! The bytes of one copy of a message: its own, and between them those it has in common with others.
//!
//! The copies of a campaign differ in some hundred bytes. What they have in common is kept once for
//! all of them and looked at once; it is never copied, and stays in the processor's cache.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use super::lines::{Kind, Look, are_whole};

/// Lines that many copies have in common. A clone shares them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Common {
    text: Arc<str>,
    look: Look,
}

impl Common {
    /// Takes whole lines; `None` when the text is none.
    pub fn new(text: &str) -> Option<Self> {
        are_whole(text.as_bytes()).then(|| Self { text: text.into(), look: Look::at(text.as_bytes()) })
    }

    /// Its bytes.
    pub fn as_bytes(&self) -> &[u8] {
        self.text.as_bytes()
    }
}

/// One copy. `Debug` shows its length: the bytes hold an address.
#[derive(Clone, PartialEq, Eq)]
pub struct Spliced {
    own: Vec<u8>,
    places: Vec<usize>,
    common: Arc<[Common]>,
    look: Look,
}

impl Spliced {
    /// Puts a copy together. For each stretch in common, `places` says how many of the copy's own
    /// bytes come before it.
    ///
    /// # Panics
    /// If there is not one place for each stretch, or the places go back or beyond the end.
    pub fn new(own: Vec<u8>, places: Vec<usize>, common: Arc<[Common]>) -> Self {
        assert!(places.len() == common.len() && places.is_sorted(), "one place for each stretch, in order");
        let look = look(&own, &places, &common);
        Self { own, places, common, look }
    }

    /// A view of it.
    pub fn pieces(&self) -> Pieces<'_> {
        Pieces { own: &self.own, places: &self.places, common: &self.common, look: self.look }
    }

    /// The copy's own bytes, and their memory with them.
    pub fn into_own(self) -> Vec<u8> {
        self.own
    }
}

impl fmt::Debug for Spliced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Spliced").field("len", &self.pieces().len()).finish_non_exhaustive()
    }
}

impl From<Vec<u8>> for Spliced {
    /// A copy that has nothing in common with others.
    fn from(own: Vec<u8>) -> Self {
        Self::new(own, Vec::new(), Arc::default())
    }
}

/// A view of a copy, piece by piece.
#[derive(Clone, Copy)]
pub struct Pieces<'a> {
    own: &'a [u8],
    places: &'a [usize],
    common: &'a [Common],
    look: Look,
}

impl<'a> Pieces<'a> {
    /// What a look at all of its bytes has found.
    pub fn look(&self) -> Look {
        self.look
    }

    /// How many bytes it has.
    pub fn len(&self) -> usize {
        self.own.len() + self.common.iter().map(|common| common.text.len()).sum::<usize>()
    }

    /// Whether it has no bytes.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Its bytes in their order; a piece may be empty.
    pub fn iter(self) -> impl Iterator<Item = &'a [u8]> {
        interleaved(self.own, self.places, self.common)
    }

    /// The own bytes before the first stretch in common.
    pub fn first(self) -> &'a [u8] {
        self.iter().next().unwrap_or_default()
    }

    /// Those of its bytes that lie in a range; no piece is empty.
    pub fn within(self, range: Range<usize>) -> impl Iterator<Item = &'a [u8]> {
        let mut at = 0;
        self.iter().filter_map(move |piece| {
            let start = range.start.saturating_sub(at).min(piece.len());
            let end = range.end.saturating_sub(at).min(piece.len());
            at += piece.len();
            (start < end).then(|| &piece[start..end])
        })
    }

    /// Its bytes in one piece.
    pub fn to_vec(self) -> Vec<u8> {
        let mut all = Vec::with_capacity(self.len());
        self.iter().for_each(|piece| all.extend_from_slice(piece));
        all
    }
}

impl<'a, T: AsRef<[u8]> + ?Sized> From<&'a T> for Pieces<'a> {
    /// All in one piece.
    fn from(bytes: &'a T) -> Self {
        let own = bytes.as_ref();
        Self { own, places: &[], common: &[], look: Look::at(own) }
    }
}

/// The bytes of a copy in their order: its own, which each stretch in common divides at its place.
pub fn interleaved<'a>(own: &'a [u8], places: &'a [usize], common: &'a [Common]) -> impl Iterator<Item = &'a [u8]> {
    let starts = std::iter::once(0).chain(places.iter().copied());
    let ends = places.iter().copied().chain([own.len()]);
    let own = starts.zip(ends).map(|(start, end)| &own[start..end]);
    let common = common.iter().map(|common| Some(common.as_bytes())).chain([None]);
    own.zip(common).flat_map(|(own, common)| std::iter::once(own).chain(common))
}

/// What is in common is whole lines; where it stands at the start of a line, so is what is not.
fn look(own: &[u8], places: &[usize], common: &[Common]) -> Look {
    let is_line_start = |place: &usize| *place == 0 || own[..*place].ends_with(b"\r\n");
    let known = common.iter().map(|common| common.look);
    let looks = (!own.is_empty() || common.is_empty()).then(|| Look::at(own)).into_iter().chain(known);
    let all = looks.reduce(Look::and).expect("there are own bytes, or a stretch");
    if places.iter().all(is_line_start) { all } else { Look { kind: Kind::Doubtful, ..all } }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A copy of these pieces, of which every second is in common.
    fn spliced(pieces: &[String]) -> Spliced {
        let (mut own, mut places, mut common) = (Vec::new(), Vec::new(), Vec::new());
        for pair in pieces.chunks(2) {
            own.extend_from_slice(pair[0].as_bytes());
            if let Some(stretch) = pair.get(1).and_then(|text| Common::new(text)) {
                places.push(own.len());
                common.push(stretch);
            }
        }
        Spliced::new(own, places, common.into())
    }

    fn joined(pieces: &[String]) -> Vec<u8> {
        let is_kept = |(nth, text): &(usize, &String)| nth % 2 == 0 || Common::new(text).is_some();
        pieces.iter().enumerate().filter(is_kept).flat_map(|(_, text)| text.bytes()).collect()
    }

    fn pieces() -> impl Strategy<Value = Vec<String>> {
        prop::collection::vec("(\\.?[a-c\t]{0,3}\r\n){0,3}|\\.|\n|\r|x{996,999}\r\n|\u{7f}\r\n|é\r\n|a", 0..7)
    }

    proptest! {
        #[test]
        fn a_copy_is_its_pieces_one_behind_the_other(pieces in pieces(), cut in 0usize..3000, length in 0usize..3000) {
            let (copy, all) = (spliced(&pieces), joined(&pieces));
            let view = copy.pieces();
            prop_assert_eq!(view.to_vec(), all.clone());
            prop_assert_eq!(view.len(), all.len());
            let (start, end) = (cut.min(all.len()), (cut + length).min(all.len()));
            prop_assert_eq!(view.within(start..end).collect::<Vec<_>>().concat(), &all[start..end]);
        }

        #[test]
        fn a_look_at_the_pieces_finds_what_one_at_the_whole_finds(pieces in pieces()) {
            let (found, whole) = (spliced(&pieces).pieces().look(), Look::at(&joined(&pieces)));
            // What is in common and stands within a line makes a copy doubtful, and no more than that.
            prop_assert!(found.kind >= whole.kind);
            if found.kind < Kind::Doubtful {
                prop_assert_eq!(found, whole);
            }
        }

        #[test]
        fn whole_lines_between_whole_lines_are_never_doubted(pieces in prop::collection::vec("(\\.?[a-c\t]{0,3}\r\n){1,3}", 1..7)) {
            prop_assert_eq!(spliced(&pieces).pieces().look(), Look::at(&joined(&pieces)));
        }
    }

    #[test]
    fn nobody_sees_an_address_in_what_is_shown() {
        assert_eq!(format!("{:?}", Spliced::from(b"To: ada@example.org\r\n".to_vec())), "Spliced { len: 21, .. }");
    }
}
