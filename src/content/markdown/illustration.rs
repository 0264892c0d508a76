//! Diagrams that cannot be drawn, and where.

use std::ops::Range;

use super::expand::Body;
use super::formula::place_in;
use crate::content::links::Linker;
use crate::pictures::{Form, Problem, Subject};

/// The language of code blocks that are diagrams.
const MERMAID: &str = "mermaid";

/// So many diagrams of a post are drawn. Nobody has more, and each costs as much as a page.
const MOST: usize = 20;

/// The language under which a code block goes on. A diagram is drawn to see whether it can be,
/// and what is wrong with it is said; it stays code then, so this is a warning. `drawn` counts
/// the diagrams of the post: beyond the bound they are code of no language.
pub(super) fn check(
    (language, code): (Option<String>, &str),
    range: Range<usize>,
    drawn: &mut usize,
    body: &Body,
    linker: &mut Linker<'_>,
) -> Option<String> {
    if language.as_deref() != Some(MERMAID) {
        return language;
    }
    *drawn += 1;
    if *drawn > MOST {
        let message = format!("the post has more than {MOST} diagrams; this one is shown as its source");
        linker.warn("diagram", &body.file_span(range), message, "divide the post");
        return None;
    }
    for form in [Form::Drawing, Form::Pixels] {
        let subject = Subject::Diagram { source: code.to_owned(), form };
        if let Err(problem) = linker.pictures().of(&subject) {
            say(&problem, code, range, body, linker);
            break;
        }
    }
    language
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
