//! Notes as other generators fence them: `:::note … :::` and `!!! note` with indented lines.

use std::ops::Range;

/// A note found in the text.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Note {
    pub(super) start: usize,
    /// Where the text after it begins.
    pub(super) end: usize,
    /// The word GitHub uses for this sort of remark.
    pub(super) word: &'static str,
    pub(super) title: String,
    /// Its lines, without their indentation.
    pub(super) lines: Vec<Range<usize>>,
}

/// What begins at a line.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    Note(Note),
    /// An opening fence that nothing closes: text.
    Unclosed,
}

/// The word for a sort of remark, under all the names it goes by.
pub(super) fn word(kind: &str) -> Option<&'static str> {
    match kind.to_lowercase().as_str() {
        "note" | "info" | "abstract" | "summary" | "tldr" | "todo" | "question" | "help" | "faq" | "example"
        | "details" | "seealso" => Some("NOTE"),
        "tip" | "hint" | "success" | "check" | "done" => Some("TIP"),
        "important" => Some("IMPORTANT"),
        "warning" | "attention" | "warn" => Some("WARNING"),
        "caution" | "danger" | "error" | "failure" | "fail" | "bug" => Some("CAUTION"),
        _ => None,
    }
}

/// The note that begins with the first line of a range.
pub(super) fn find(text: &str, range: Range<usize>) -> Option<Found> {
    let line = line_at(text, range.start, range.end);
    let head = text[line.clone()].trim_end();
    if head.starts_with(":::") {
        return fenced(text, head, &line, range.end);
    }
    let rest =
        head.strip_prefix("!!! ").or_else(|| head.strip_prefix("??? ")).or_else(|| head.strip_prefix("???+ "))?;
    let (word, title) = named(rest)?;
    Some(Found::Note(indented(text, &line, range.end, word, title)))
}

fn fenced(text: &str, head: &str, line: &Range<usize>, limit: usize) -> Option<Found> {
    let colons = head.len() - head.trim_start_matches(':').len();
    let (word, title) = named(head[colons..].trim())?;
    let mut lines = Vec::new();
    let mut depth = 1;
    let mut at = line.end;
    while at < limit {
        let line = line_at(text, at, limit);
        let content = text[line.clone()].trim();
        let inner = content.len() - content.trim_start_matches(':').len();
        if inner >= 3 && content.len() > inner {
            depth += 1;
        } else if inner >= 3 && (inner >= colons || depth > 1) {
            depth -= 1;
        }
        at = line.end;
        if depth == 0 {
            return Some(Found::Note(Note {
                start: line_start(lines.first(), line.start),
                end: at,
                word,
                title,
                lines,
            }));
        }
        lines.push(line);
    }
    Some(Found::Unclosed)
}

fn line_start(first: Option<&Range<usize>>, otherwise: usize) -> usize {
    first.map_or(otherwise, |line| line.start)
}

/// The lines after `!!! note` that are indented by four spaces or a tab, and the blank ones between.
fn indented(text: &str, head: &Range<usize>, limit: usize, word: &'static str, title: String) -> Note {
    let mut lines = Vec::new();
    let mut at = head.end;
    let mut end = head.end;
    while at < limit {
        let line = line_at(text, at, limit);
        let content = &text[line.clone()];
        let indent = if content.starts_with('\t') { 1 } else { 4 };
        if content.trim().is_empty() {
            lines.push(line.clone());
        } else if content.starts_with("    ") || content.starts_with('\t') {
            lines.push(line.start + indent..line.end);
            end = line.end;
        } else {
            break;
        }
        at = line.end;
    }
    lines.retain(|line| line.start < end);
    Note { start: head.start, end, word, title, lines }
}

fn line_at(text: &str, start: usize, limit: usize) -> Range<usize> {
    start..text[start..limit].find('\n').map_or(limit, |end| start + end + 1)
}

/// `note "Title"`, `note[Title]`, `note Title`.
fn named(text: &str) -> Option<(&'static str, String)> {
    let end = text.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(text.len());
    let word = word(&text[..end])?;
    let title = text[end..].trim().trim_matches(['"', '[', ']', '{', '}']).trim();
    Some((word, title.to_owned()))
}
