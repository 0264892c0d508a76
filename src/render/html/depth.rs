//! How deep HTML from outside may nest.
//!
//! Parsers of HTML take quadratic time on deep nesting, and those that recurse (the inliner,
//! many a reader's program) fall over. Browsers stop at 512 levels; we stop earlier, and what
//! lies deeper keeps its words and loses its tags.

use super::raw::{Piece, pieces, tag_name};

/// How many elements may lie in each other before parsing.
const DEEPEST_WRITTEN: usize = 128;

/// How many may after it: a parser adds what the author left out, as rows and bodies of tables.
const DEEPEST_PARSED: usize = 400;

/// Elements that have no end.
const VOID: [&str; 11] = ["br", "hr", "img", "col", "wbr", "source", "input", "meta", "link", "area", "embed"];

/// Elements whose end may be left out: the next of the kind ends them, so they pile up in the
/// source and not in the tree. Drawings and formulas know no such rule.
const SELF_ENDING: [&str; 11] = ["p", "li", "dt", "dd", "tr", "td", "th", "thead", "tbody", "tfoot", "option"];

/// Elements that hold no HTML: what looks like a tag in them is a comparison.
const PROGRAMS: [&str; 2] = ["script", "style"];

/// Raw HTML before it is parsed, without the tags that lie too deep. An estimate: only a
/// parser knows, and it must be spared.
pub(super) fn shallow_source(html: &str) -> String {
    let mut open: Vec<String> = Vec::new();
    let mut dropped: Vec<String> = Vec::new();
    let mut out = String::with_capacity(html.len());
    for piece in pieces(html) {
        let (Piece::Tag(text) | Piece::Text(text) | Piece::Comment(text)) = piece;
        let kept = match piece {
            Piece::Tag(tag) => keeps(&tag_name(tag), &mut open, &mut dropped),
            Piece::Text(_) | Piece::Comment(_) => true,
        };
        if kept {
            out.push_str(text);
        }
    }
    out
}

/// Whether a tag is kept; `open` and `dropped` are the elements that wait for their end.
fn keeps(name: &str, open: &mut Vec<String>, dropped: &mut Vec<String>) -> bool {
    let program = open.last().filter(|last| PROGRAMS.contains(&last.as_str()));
    if program.is_some_and(|program| name.strip_prefix('/') != Some(program)) {
        return true;
    }
    if let Some(ended) = name.strip_prefix('/') {
        if dropped.last().is_some_and(|last| last == ended) {
            dropped.pop();
            return false;
        }
        if let Some(at) = open.iter().rposition(|element| element == ended) {
            open.truncate(at);
        }
        return true;
    }
    let foreign = open.iter().any(|element| matches!(element.as_str(), "svg" | "math"));
    if VOID.contains(&name) || (SELF_ENDING.contains(&name) && !foreign) {
        return true;
    }
    let kept = open.len() < DEEPEST_WRITTEN;
    let waiting = if kept { open } else { dropped };
    waiting.push(name.to_owned());
    kept
}

/// The sanitiser's output without the tags that lie too deep. Its tags are balanced: each end
/// closes the element opened last.
pub(super) fn shallow_tree(html: String) -> String {
    let mut depth = 0;
    let mut out = String::new();
    let mut done = 0;
    let mut at = 0;
    for piece in pieces(&html) {
        let (Piece::Tag(text) | Piece::Text(text) | Piece::Comment(text)) = piece;
        at += text.len();
        let Piece::Tag(tag) = piece else { continue };
        let before = depth;
        depth = depth_after(depth, tag);
        if depth != before && depth.max(before) > DEEPEST_PARSED {
            out.push_str(&html[done..at - text.len()]);
            done = at;
        }
    }
    if done == 0 {
        return html;
    }
    out.push_str(&html[done..]);
    out
}

fn depth_after(depth: usize, tag: &str) -> usize {
    let name = tag_name(tag);
    if name.starts_with('/') { depth.saturating_sub(1) } else { depth + usize::from(!VOID.contains(&name.as_str())) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_too_deep_loses_its_tags_and_keeps_its_words() {
        let deep = format!("{}<br>word{}<p>after</p>", "<div>".repeat(5000), "</div>".repeat(5000));
        for (out, limit) in [(shallow_source(&deep), DEEPEST_WRITTEN), (shallow_tree(deep.clone()), DEEPEST_PARSED)] {
            assert_eq!(out.matches("<div>").count(), limit);
            assert_eq!(out.matches("</div>").count(), limit);
            assert!(out.contains("<br>word") && out.ends_with("</div><p>after</p>"));
        }
    }

    #[test]
    fn ordinary_html_is_left_alone() {
        let html = format!("<ul>{}</ul><p>a<br>b <b>c", "<li><p>item".repeat(1000));
        assert_eq!(shallow_source(&html), html);
        let html = format!("<script>{}</script>", "if (a<b && c>d) {} ".repeat(1000));
        assert_eq!(shallow_source(&html), html);
        let html = "<div><b>x</b></div>".repeat(1000);
        assert_eq!(shallow_source(&html), html);
        assert_eq!(shallow_tree(html.clone()), html);
    }
}
