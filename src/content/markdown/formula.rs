//! Formulas that cannot be set, and where.

use std::ops::Range;

use super::expand::Body;
use crate::content::links::Linker;
use crate::math::Style;

/// Says what is wrong with a formula, which stands with its marks at `range` of the body. Pages
/// and feeds show it as typed. It is an error all the same: a page can be mended, a mail cannot.
pub(super) fn check(tex: &str, style: Style, range: Range<usize>, body: &Body, linker: &mut Linker<'_>) {
    let Err(problem) = linker.pictures().formula(tex, style) else { return };
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
