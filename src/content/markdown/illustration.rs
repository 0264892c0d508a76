//! Diagrams that cannot be drawn, and where.

use std::ops::Range;

use super::expand::Body;
use super::formula::place_in;
use crate::content::links::Linker;
use crate::domain::document::Block;
use crate::pictures::{Form, Problem, Subject};

/// The language of code blocks that are diagrams.
const MERMAID: &str = "mermaid";

/// So many diagrams of a post are drawn. Nobody has more, and each costs as much as a page.
const MOST: usize = 20;

/// Draws a diagram to see whether it can be drawn, and says what is wrong with it; it is shown as
/// its source then, so this is a warning. `drawn` counts the diagrams of the post: beyond the
/// bound they become code of no language.
pub(super) fn check(block: &mut Block, range: Range<usize>, drawn: &mut usize, body: &Body, linker: &mut Linker<'_>) {
    let Block::Code { language, text, .. } = block else { return };
    if language.as_deref() != Some(MERMAID) {
        return;
    }
    *drawn += 1;
    if *drawn > MOST {
        let message = format!("the post has more than {MOST} diagrams; this one is shown as its source");
        linker.warn("diagram", &body.file_span(range), message, "divide the post");
        *language = None;
        return;
    }
    for form in [Form::Drawing, Form::Pixels] {
        let subject = Subject::Diagram { source: text.clone(), form };
        if let Err(problem) = linker.pictures().of(&subject) {
            say(&problem, text, range, body, linker);
            break;
        }
    }
}

fn say(problem: &Problem, code: &str, range: Range<usize>, body: &Body, linker: &mut Linker<'_>) {
    let source = &body.text[range.clone()];
    let inside = source.find('\n').map_or(source.len(), |end| end + 1);
    let place = |at| range.start + inside + place_in(&source[inside..], code, at);
    let Range { start, end } = problem.at.clone();
    let span = if end > start { place(start)..place(end) } else { range.start..range.start + inside };
    let span = span.start..span.end.max(span.start);
    linker.warn("diagram", &body.file_span(span), problem.message.clone(), &problem.help);
}
