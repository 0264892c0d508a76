//! How much a drawing unfolds to, before anything is unfolded.
//!
//! Parts of a drawing are used by others any number of times, and those by others again: forty
//! masks of two rectangles each make a million million. The reader would make them all.

use std::collections::HashMap;

use resvg::usvg::roxmltree::{Document, Node, ParsingOptions};

use super::PictureError;

/// So many parts a drawing may have, each counted as often as it is used.
const MOST_PARTS: u64 = 200_000;

/// So deep its parts may lie in each other, or refer to each other.
const DEEPEST: usize = 200;

/// Refuses a drawing that unfolds to more than is read in a second, or goes so deep that the
/// reader, which calls itself for every level, would run out of stack.
pub(super) fn check(text: &str) -> Result<(), PictureError> {
    // The readers of XML go down by calling themselves too.
    if is_too_deep(text.as_bytes()) {
        return Err(too_deep());
    }
    let options = ParsingOptions { allow_dtd: true, nodes_limit: 400_000, ..ParsingOptions::default() };
    let document = Document::parse_with_options(text, options)
        .map_err(|error| PictureError::Damaged(format!("it is no XML: {error}")))?;
    let mut count = Count::of(&document)?;
    match count.parts(document.root_element(), 0)? {
        parts if parts > MOST_PARTS => {
            Err(PictureError::Undrawable(format!("it unfolds to more than {MOST_PARTS} parts")))
        }
        _ => Ok(()),
    }
}

fn too_deep() -> PictureError {
    PictureError::Undrawable(format!("its parts lie more than {DEEPEST} deep in each other"))
}

/// Whether tags stand within tags too deep, counted without reading what they mean.
fn is_too_deep(bytes: &[u8]) -> bool {
    let mut depth = 0_usize;
    let mut at = 0;
    while let Some(found) = bytes[at..].iter().position(|byte| *byte == b'<').map(|length| at + length) {
        let end = bytes[found..].iter().position(|byte| *byte == b'>').map_or(bytes.len(), |length| found + length);
        match bytes.get(found + 1) {
            Some(b'/') => depth = depth.saturating_sub(1),
            Some(b'!' | b'?') | None => {}
            Some(_) => depth += usize::from(bytes[end - 1] != b'/'),
        }
        if depth > DEEPEST {
            return true;
        }
        at = end.max(found + 1);
    }
    false
}

/// The parts of a drawing as they are counted.
struct Count<'d> {
    by_id: HashMap<&'d str, Node<'d, 'd>>,
    /// What the classes of its style sheets refer to.
    by_class: HashMap<&'d str, Vec<&'d str>>,
    /// Parts already counted; those being counted have none yet.
    known: HashMap<Node<'d, 'd>, u64>,
}

impl<'d> Count<'d> {
    fn of(document: &'d Document<'d>) -> Result<Self, PictureError> {
        let by_id = document.descendants().filter_map(|node| Some((node.attribute("id")?, node))).collect();
        let mut by_class = HashMap::<_, Vec<_>>::new();
        let sheets = document.descendants().filter(|node| node.tag_name().name() == "style");
        for rule in sheets.filter_map(|sheet| sheet.text()).flat_map(|sheet| sheet.split('}')) {
            let (selectors, body) = rule.split_once('{').unwrap_or_default();
            let references: Vec<&str> = references(body).collect();
            for selector in selectors.split(',').filter(|_| !references.is_empty()) {
                let class = selector.trim().strip_prefix('.').ok_or_else(|| {
                    PictureError::Undrawable(
                        "its style sheet refers to parts for other elements than a class".to_owned(),
                    )
                })?;
                by_class.entry(class).or_default().extend(&references);
            }
        }
        Ok(Self { by_id, by_class, known: HashMap::new() })
    }

    /// How many parts an element unfolds to, itself included.
    fn parts(&mut self, node: Node<'d, 'd>, depth: usize) -> Result<u64, PictureError> {
        if depth > DEEPEST {
            return Err(too_deep());
        }
        if let Some(known) = self.known.get(&node) {
            return Ok(*known);
        }
        // A part that refers to itself is cut by the reader.
        self.known.insert(node, 0);
        let mut parts = 1_u64;
        for used in self.used_by(node) {
            parts = parts.saturating_add(self.parts(used, depth + 1)?);
        }
        self.known.insert(node, parts);
        Ok(parts)
    }

    fn used_by(&self, node: Node<'d, 'd>) -> Vec<Node<'d, 'd>> {
        let values = node.attributes().map(|attribute| attribute.value());
        let named = values.flat_map(|value| value.strip_prefix('#').into_iter().chain(references(value)));
        let classes = node.attribute("class").unwrap_or_default().split_whitespace();
        let by_class = classes.filter_map(|class| self.by_class.get(class)).flatten().copied();
        let referred = named.chain(by_class).filter_map(|id| self.by_id.get(id).copied());
        referred.chain(node.children().filter(Node::is_element)).collect()
    }
}

/// The ids in `url(#…)` of a value.
fn references(value: &str) -> impl Iterator<Item = &str> {
    value.split("url(").skip(1).filter_map(|rest| {
        let inner = rest.split(')').next()?.trim().trim_matches(['"', '\'']);
        inner.strip_prefix('#')
    })
}

#[cfg(test)]
#[expect(clippy::format_collect, reason = "a test may be slow")]
mod tests {
    use super::*;

    fn verdict(inside: &str) -> Result<(), PictureError> {
        check(&format!(
            "<svg xmlns='http://www.w3.org/2000/svg' xmlns:xlink='http://www.w3.org/1999/xlink'>{inside}</svg>"
        ))
    }

    /// Forty definitions, each of which uses the one before it twice.
    fn doubling(reference: impl Fn(usize) -> String) -> String {
        (1..=40).map(|at| format!("<g id='x{at}'>{}</g>", reference(at - 1).repeat(2))).collect()
    }

    #[test]
    fn what_unfolds_without_end_is_refused_however_it_refers() {
        assert!(verdict(&doubling(|at| format!("<use xlink:href='#x{at}'/>"))).is_err());
        assert!(verdict(&doubling(|at| format!("<rect mask='url(#x{at})'/>"))).is_err());
        assert!(verdict(&doubling(|at| format!("<rect style='clip-path: url( \"#x{at}\" )'/>"))).is_err());
        let sheet: String = (0..40).map(|at| format!(".c{at}{{mask:url(#x{at})}}")).collect();
        assert!(
            verdict(&(format!("<style>{sheet}</style>") + &doubling(|at| format!("<rect class='a c{at}'/>")))).is_err()
        );
        assert!(verdict("<style>rect { mask: url(#a) }</style>").is_err());
    }

    #[test]
    fn what_drawing_programs_write_is_let_through() {
        let clips = "<style>.a,.b{fill:red}.c{clip-path:url(#k)}</style><clipPath id='k'><rect class='a'/></clipPath>";
        assert_eq!(verdict(&(clips.to_owned() + &"<g class='c'><path class='b'/></g>".repeat(5_000))), Ok(()));
        assert_eq!(verdict("<g id='a'><use href='#a'/></g><a href='#'/>"), Ok(()));
    }

    #[test]
    fn what_goes_too_deep_is_refused() {
        assert!(verdict(&"<g>".repeat(100_000)).is_err());
        assert!(verdict(&("<g>".repeat(500) + &"</g>".repeat(500))).is_err());
        assert!(
            verdict(&(1..5_000).map(|at| format!("<g id='x{at}'><use href='#x{}'/></g>", at + 1)).collect::<String>())
                .is_err()
        );
        assert_eq!(verdict(&("<g>".repeat(100) + &"</g>".repeat(100))), Ok(()));
    }
}
