//! Formulas that cannot be set, and where.

use std::collections::HashSet;
use std::ops::Range;

use super::expand::Body;
use crate::content::links::Linker;
use crate::domain::document::{Block, Inline};
use crate::math::Style;
use crate::pictures::{Problem, Subject};

/// So many different formulas of a post are drawn, those of letters alone not counted. Nobody has
/// more, and thousands take seconds.
const MOST: usize = 1000;

/// The formulas of a post that are drawn, each once.
#[derive(Default)]
pub(super) struct Drawn(HashSet<(String, Style)>);

impl Drawn {
    /// Counts a formula; `false` when there were enough before.
    fn admits(&mut self, tex: &str, style: Style) -> bool {
        self.0.len() < MOST && self.0.insert((tex.to_owned(), style)) || self.0.contains(&(tex.to_owned(), style))
    }
}

/// How a formula is shown.
enum Shown {
    Set,
    AsTyped,
}

/// A formula in a line of text, which stands with its marks at `range` of the body; one too many is
/// code.
pub(super) fn inline(
    tex: String,
    range: Range<usize>,
    drawn: &mut Drawn,
    body: &Body,
    linker: &mut Linker<'_>,
) -> Inline {
    match check(&tex, Style::Inline, range, drawn, body, linker) {
        Shown::Set => Inline::Math(tex),
        Shown::AsTyped => Inline::Code(tex),
    }
}

/// The same on lines of its own.
pub(super) fn block(
    tex: String,
    range: Range<usize>,
    drawn: &mut Drawn,
    body: &Body,
    linker: &mut Linker<'_>,
) -> Block {
    match check(&tex, Style::Display, range, drawn, body, linker) {
        Shown::Set => Block::Math(tex),
        Shown::AsTyped => Block::Code { language: None, title: None, marked: Vec::new(), text: tex },
    }
}

/// Says what is wrong with a formula. Pages and feeds show it as typed. It is an error all the same:
/// a page can be mended, a mail cannot.
fn check(
    tex: &str,
    style: Style,
    range: Range<usize>,
    drawn: &mut Drawn,
    body: &Body,
    linker: &mut Linker<'_>,
) -> Shown {
    let pictures = linker.pictures();
    if pictures.letters(tex, style).is_some() {
        return Shown::Set;
    }
    if !drawn.admits(tex, style) {
        let message = format!("the post has more than {MOST} formulas to be drawn; this one is shown as typed");
        linker.warn("math-many", &body.file_span(range), message, "divide the post");
        return Shown::AsTyped;
    }
    if let Err(problem) = pictures.of(&Subject::Formula { tex: tex.to_owned(), style }) {
        say(&problem, tex, range, body, linker);
    }
    Shown::Set
}

fn say(problem: &Problem, tex: &str, range: Range<usize>, body: &Body, linker: &mut Linker<'_>) {
    let source = &body.text[range.clone()];
    let [start, end] = [problem.at.start, problem.at.end].map(|at| range.start + place_in(source, tex, at));
    let message = format!("the formula cannot be set: {}", problem.message);
    linker.error("math", &body.file_span(start..end.max(start)), message, &problem.help);
}

/// The place in a formula's source of a place in its TeX. They differ where the formula stands
/// in a quotation or an item: the marks at the beginning of its lines are not TeX.
pub(super) fn place_in(source: &str, tex: &str, at: usize) -> usize {
    let at = (0..=at.min(tex.len())).rev().find(|at| tex.is_char_boundary(*at)).unwrap_or_default();
    let line_start = tex[..at].rfind('\n').map_or(0, |end| end + 1);
    let line = tex[line_start..].lines().next().unwrap_or_default();
    let mut from = 0;
    for _ in 0..tex[..line_start].matches('\n').count() {
        from += source[from..].find('\n').map_or(0, |end| end + 1);
    }
    let skipped =
        if from == 0 { source.len() - source.trim_start_matches(['$', '\\', '(', '[']).trim_start().len() } else { 0 };
    let from = from.max(skipped);
    source[from..].find(line).map_or(from, |found| from + found + (at - line_start))
}

#[cfg(test)]
mod tests {
    use super::place_in;

    #[test]
    fn a_place_in_a_formula_is_found_behind_the_marks_of_its_lines() {
        assert_eq!(place_in("$a + b$", "a + b", 4), 5);
        assert_eq!(place_in("$$\n> a\n> + \\x\n> $$", "a\n+ \\x", 4), 11);
        assert_eq!(place_in("$$ \\x $$", "\\x", 0), 3);
        assert_eq!(place_in("$é + x$", "é + x", 5), 6);
        assert_eq!(place_in("$x$", "x", 99), 2);
    }
}
