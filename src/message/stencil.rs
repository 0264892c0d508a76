//! A variant of an issue, ready to be filled for one recipient after the other.

use std::sync::Arc;

use aws_lc_rs::digest::{Context, SHA256, digest};

use super::frozen::{Frozen, Part, Segment};
use crate::domain::issue::Slot;
use crate::domain::spliced::Common;

/// What is shorter is copied: another piece to look up and to write would cost more. As all that says
/// where a copy is cut, it is a part of the digests that ledgers hold, and stays as it is.
const LEAST: usize = 256;

/// The segments of a variant, sorted by what a copy does with them.
#[derive(Debug, Clone)]
pub(super) struct Stencil {
    pub steps: Vec<Step>,
    /// What all copies have in common, in its order: whole lines of the body.
    pub common: Arc<[Common]>,
    /// SHA-256 of the SHA-256 of each stretch in common.
    pub digest: [u8; 32],
    /// How many bytes of the steps are copied.
    pub copied: usize,
}

/// What comes next in a copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    /// These bytes, which are copied.
    Copy(String),
    /// The next stretch in common.
    Common,
    /// What this gap is filled with.
    Gap(Gap),
}

/// A gap for one value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Gap {
    Date,
    To,
    MessageId,
    ListUnsubscribe,
    /// With what stands there for those who lack the value.
    Slot(Slot, Part, String),
}

impl Stencil {
    /// One for each variant: of those who lack nothing, and then as the others are frozen.
    pub(super) fn all_of(frozen: &Frozen) -> Vec<Self> {
        let pictures: Vec<Picture> = frozen.pictures.iter().map(|text| Picture::new(text)).collect();
        let variants = std::iter::once(&frozen.segments).chain(&frozen.variants);
        variants.map(|segments| Cutter::cut(segments, &pictures)).collect()
    }
}

/// A picture in Base64, cut where its last line begins, which has no line end.
struct Picture<'a> {
    lines: Option<Common>,
    last: &'a str,
    text: &'a str,
}

impl<'a> Picture<'a> {
    fn new(text: &'a str) -> Self {
        let (lines, last) = split_off_last(text);
        Self { lines: stretch(lines), last, text }
    }
}

/// The text up to its last line end, and what stands behind that.
fn split_off_last(text: &str) -> (&str, &str) {
    text.split_at(text.rfind("\r\n").map_or(0, |at| at + 2))
}

/// The lines as a stretch in common, if there is enough of them.
fn stretch(lines: &str) -> Option<Common> {
    (lines.len() >= LEAST).then(|| Common::new(lines)).flatten()
}

/// Goes through the segments of a variant.
struct Cutter {
    steps: Vec<Step>,
    common: Vec<Common>,
    place: Place,
}

/// Where in a message the next byte stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// In the header section, which is each copy's own.
    Head,
    /// At the start of a line of the body.
    LineStart,
    /// Within a line of the body.
    Line,
}

impl Cutter {
    fn cut(segments: &[Segment], pictures: &[Picture]) -> Stencil {
        let mut cutter = Self { steps: Vec::new(), common: Vec::new(), place: Place::Head };
        for segment in segments {
            cutter.take(segment, pictures);
        }
        let Self { steps, common, .. } = cutter;
        let mut all = Context::new(&SHA256);
        for common in &common {
            all.update(digest(&SHA256, common.as_bytes()).as_ref());
        }
        let length = |step: &Step| if let Step::Copy(text) = step { text.len() } else { 0 };
        Stencil {
            copied: steps.iter().map(length).sum(),
            steps,
            common: common.into(),
            digest: all.finish().as_ref().try_into().expect("SHA-256 has 32 bytes"),
        }
    }

    fn take(&mut self, segment: &Segment, pictures: &[Picture]) {
        match segment {
            Segment::Static(text) => self.text(text),
            Segment::Picture(nth) => self.picture(&pictures[*nth]),
            Segment::Date => self.gap(Gap::Date),
            Segment::To => self.gap(Gap::To),
            Segment::MessageId => self.gap(Gap::MessageId),
            Segment::ListUnsubscribe => self.gap(Gap::ListUnsubscribe),
            Segment::Slot(slot, part) => self.gap(Gap::Slot(slot.clone(), *part, String::new())),
            Segment::SlotOr(slot, part, default) => self.gap(Gap::Slot(slot.clone(), *part, default.clone())),
        }
    }

    /// A slot of the body stands on lines of its own; another gap does not.
    fn gap(&mut self, gap: Gap) {
        if self.place != Place::Head && !matches!(gap, Gap::Slot(..)) {
            self.place = Place::Line;
        }
        self.steps.push(Step::Gap(gap));
    }

    fn text(&mut self, text: &str) {
        let own = match self.place {
            Place::Head => text.find("\r\n\r\n").map(|at| at + 4),
            Place::LineStart => Some(0),
            Place::Line => text.find("\r\n").map(|at| at + 2),
        };
        let Some(own) = own else { return self.copy(text) };
        let (own, rest) = text.split_at(own);
        self.copy(own);
        let (lines, last) = split_off_last(rest);
        match stretch(lines) {
            Some(lines) => self.common(lines),
            None => self.copy(lines),
        }
        self.copy(last);
        self.place = if text.ends_with("\r\n") { Place::LineStart } else { Place::Line };
    }

    fn picture(&mut self, picture: &Picture) {
        match &picture.lines {
            Some(lines) if self.place == Place::LineStart => {
                self.common(lines.clone());
                self.copy(picture.last);
                self.place = Place::Line;
            }
            Some(_) | None => self.text(picture.text),
        }
    }

    fn common(&mut self, lines: Common) {
        self.common.push(lines);
        self.steps.push(Step::Common);
    }

    fn copy(&mut self, text: &str) {
        match self.steps.last_mut() {
            _ if text.is_empty() => {}
            Some(Step::Copy(before)) => before.push_str(text),
            Some(Step::Common | Step::Gap(_)) | None => self.steps.push(Step::Copy(text.to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::samples::{issue, publication};
    use super::super::{Frozen, freeze};
    use super::*;
    use crate::domain::issue::Issue;

    fn frozen() -> Frozen {
        freeze(&issue(), &publication()).unwrap()
    }

    /// Lines of so many bytes.
    fn lines(length: usize) -> String {
        format!("{}\r\n", "x".repeat(60)).repeat(length / 62 + 1)
    }

    /// What a copy is whose gaps are filled with stars.
    fn filled(stencil: &Stencil) -> String {
        let mut common = stencil.common.iter();
        let text = |step: &Step| match step {
            Step::Copy(text) => text.clone(),
            Step::Common => String::from_utf8(common.next().unwrap().as_bytes().to_vec()).unwrap(),
            Step::Gap(_) => "*\r\n".to_owned(),
        };
        stencil.steps.iter().map(text).collect()
    }

    /// Whether whatever is in common stands at the start of a line of the body.
    fn is_cut_at_lines(stencil: &Stencil) -> bool {
        let mut so_far = String::new();
        stencil.steps.iter().all(|step| {
            match step {
                Step::Copy(text) => so_far.push_str(text),
                Step::Gap(Gap::Slot(..)) => so_far.push_str("=\r\n"),
                Step::Gap(_) => so_far.push('*'),
                Step::Common => return so_far.contains("\r\n\r\n") && so_far.ends_with("\r\n"),
            }
            true
        })
    }

    fn plainly(segments: &[Segment], pictures: &[String]) -> String {
        let text = |segment: &Segment| match segment {
            Segment::Static(text) => text.clone(),
            Segment::Picture(nth) => pictures[*nth].clone(),
            _ => "*\r\n".to_owned(),
        };
        segments.iter().map(text).collect()
    }

    #[test]
    fn the_long_stretches_of_the_body_are_in_common_and_the_header_section_is_each_copys_own() {
        let long = format!("{}<p>text</p>\n", "<p>a line of some length, and again</p>\n".repeat(40));
        let frozen = freeze(&Issue { html: long, ..issue() }, &publication()).unwrap();
        let stencil = frozen.stencil(|_| false);
        assert!(!stencil.common.is_empty());
        let Step::Copy(first) = &stencil.steps[0] else { panic!("a copy begins with its own bytes") };
        assert!(first.starts_with("Date: "));
        let own: usize = stencil.copied;
        let shared: usize = stencil.common.iter().map(|common| common.as_bytes().len()).sum();
        assert!(shared > own, "{shared} of {}", own + shared);
        let head = stencil.steps.iter().position(|step| matches!(step, Step::Copy(text) if text.contains("\r\n\r\n")));
        let common = stencil.steps.iter().position(|step| *step == Step::Common);
        assert!(head.unwrap() < common.unwrap());
    }

    #[test]
    fn variants_share_the_memory_of_a_picture() {
        let picture = lines(1000) + "last==";
        let body = |text: &str| {
            vec![
                Segment::Static(format!("A: b\r\n\r\n{text}\r\n")),
                Segment::Picture(0),
                Segment::Static("\r\n--\r\n".to_owned()),
            ]
        };
        let frozen = Frozen { segments: body("one"), variants: vec![body("two")], pictures: vec![picture], ..frozen() };
        let [one, two] = &Stencil::all_of(&frozen)[..] else { panic!("two variants") };
        assert_eq!(one.common[0].as_bytes().as_ptr(), two.common[0].as_bytes().as_ptr());
        assert_eq!(filled(two), plainly(&frozen.variants[0], &frozen.pictures));
    }

    fn segment() -> impl Strategy<Value = Segment> {
        let text = ("(ab|\r\n){0,4}", 0..900_usize, any::<bool>(), "(ab|\r\n){0,4}");
        prop_oneof![
            4 => text.prop_map(|(before, length, is_long, after)| {
                let middle = if is_long { lines(length) } else { String::new() };
                Segment::Static([&before, middle.as_str(), &after].concat())
            }),
            1 => Just(Segment::Picture(0)),
            1 => Just(Segment::Picture(1)),
            1 => Just(Segment::Date),
            1 => Just(Segment::Slot(Slot::SubscriberName, Part::Html)),
        ]
    }

    proptest! {
        #[test]
        fn however_a_variant_is_cut_its_copies_have_the_bytes_of_its_segments(
            segments in prop::collection::vec(segment(), 0..9),
        ) {
            let pictures = vec![lines(700) + "end=", "short".to_owned()];
            let frozen = Frozen { segments, variants: Vec::new(), pictures, ..frozen() };
            let stencil = &Stencil::all_of(&frozen)[0];
            prop_assert_eq!(filled(stencil), plainly(&frozen.segments, &frozen.pictures));
            prop_assert!(stencil.common.iter().all(|common| common.as_bytes().len() >= LEAST));
            prop_assert!(is_cut_at_lines(stencil));
        }
    }
}
