//! A block of code, and what its info string asks for that cannot be.

use std::ops::Range;

use super::code_info::{language, marked_lines, title};
use crate::config::nearest;
use crate::content::links::Linker;
use crate::domain::document::Block;
use crate::highlight;

/// So many bytes of a post's code are coloured: some fifteen hundred lines. A grammar takes longer than
/// all else that is made of a post.
const MOST: usize = 48 * 1024;

/// The code of a post that is coloured.
#[derive(Default)]
pub(super) struct Coloured {
    bytes: usize,
    /// Whether it was said that there is too much of it.
    is_said: bool,
}

/// A shorter name is rarely a slip, and resembles too many.
const SHORTEST_SLIP: usize = 4;

/// The block of a text and its info string, which stands at `span` of the file.
pub(super) fn block(
    info: &str,
    text: String,
    span: &Range<usize>,
    coloured: &mut Coloured,
    linker: &mut Linker<'_>,
) -> Block {
    let (language, marked) = (language(info), marked_lines(info));
    if let Some(language) = &language {
        note_slip(language, span, linker);
    }
    let language = language.filter(|language| admits(coloured, language, &text, span, linker));
    let lines = text.lines().count();
    if let Some(beyond) = marked.iter().find(|marked| *marked.end() > lines) {
        let message = format!("line {} is to be marked, and the code has {lines}", beyond.end());
        linker.warn("code-lines", span, message, "count from 1, at the first line below the backticks");
    }
    Block::Code { language, title: title(info), marked, text }
}

/// Whether there is room left for a block's colours, if it has any; of the first that has none the
/// author is told. Such a block is code of no language, and a shorter one behind it may have colours.
fn admits(coloured: &mut Coloured, language: &str, text: &str, span: &Range<usize>, linker: &mut Linker<'_>) -> bool {
    if !highlight::has_colours(language) {
        return true;
    }
    if coloured.bytes + text.len() <= MOST {
        coloured.bytes += text.len();
        return true;
    }
    if !coloured.is_said {
        coloured.is_said = true;
        let message = format!("the post has more than {} KB of code; this block is shown without colours", MOST / 1024);
        linker.warn("code-many", span, message, "divide the post, or show less of a long listing");
    }
    false
}

/// A language that nobody knows is shown without colours, which may be what the author wants;
/// one that is nearly another is a slip.
fn note_slip(language: &str, span: &Range<usize>, linker: &mut Linker<'_>) {
    if language.len() < SHORTEST_SLIP || highlight::is_known(language) {
        return;
    }
    if let Some(meant) = nearest(language, highlight::COMMON) {
        let message = format!("no language is called `{language}`: the code is shown without colours");
        linker.warn("code-language", span, message, &format!("did you mean `{meant}`?"));
    }
}
