//! Notes as other generators fence them: `:::note … :::` and `!!! note` with indented lines,
//! and the boxes that such fences make of anything else.

use std::ops::Range;

/// A note found in the text.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Note {
    pub(super) start: usize,
    /// Where the text after it begins.
    pub(super) end: usize,
    /// The author's word for this sort of remark.
    pub(super) word: String,
    pub(super) title: String,
    /// Its lines, without their indentation.
    pub(super) lines: Vec<Range<usize>>,
}

impl Note {
    /// The first line of the quotation that says the same.
    pub(super) fn head(&self) -> String {
        format!("[!{}] {}", self.word, self.title)
    }
}

/// What begins at a line.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    Note(Note),
    /// A fence around something that is no remark: a class for a stylesheet, a column.
    Box(Inside),
    /// A fence that nothing closes, or that closes nothing: text.
    Unclosed,
}

/// What stands between two fences.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Inside {
    /// Its lines.
    pub(super) lines: Vec<Range<usize>>,
    /// Where the text after the closing fence begins.
    pub(super) end: usize,
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
        return Some(fenced(text, head, &line, range.end));
    }
    let rest =
        head.strip_prefix("!!! ").or_else(|| head.strip_prefix("??? ")).or_else(|| head.strip_prefix("???+ "))?;
    let (word, title) = named(rest)?;
    Some(Found::Note(indented(text, &line, range.end, word, title)))
}

fn fenced(text: &str, head: &str, line: &Range<usize>, limit: usize) -> Found {
    let colons = head.len() - head.trim_start_matches(':').len();
    let sort = head[colons..].trim();
    if sort.is_empty() {
        return Found::Unclosed;
    }
    let Some(inside) = inside(text, colons, line.end, limit) else { return Found::Unclosed };
    match named(sort) {
        Some((word, title)) => {
            let Inside { lines, end } = inside;
            Found::Note(Note { start: lines.first().map_or(line.end, |line| line.start), end, word, title, lines })
        }
        None => Found::Box(inside),
    }
}

/// The lines up to the fence that closes one of so many colons.
fn inside(text: &str, colons: usize, start: usize, limit: usize) -> Option<Inside> {
    let mut lines = Vec::new();
    let mut depth = 1;
    let mut at = start;
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
            return Some(Inside { lines, end: at });
        }
        lines.push(line);
    }
    None
}

/// The lines after `!!! note` that are indented by four spaces or a tab, and the blank ones between.
fn indented(text: &str, head: &Range<usize>, limit: usize, word: String, title: String) -> Note {
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

/// `note "Title"`, `note[Title]`, `note Title`, `note{title="Title"}`, `{.callout-note title="Title"}`.
fn named(text: &str) -> Option<(String, String)> {
    let (head, attributes) = text.split_once('{').unwrap_or((text, ""));
    let end = head.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(head.len());
    let classes = attributes.split([' ', '}']).filter_map(|class| class.strip_prefix('.'));
    let names = std::iter::once(&head[..end]).chain(classes.map(|class| class.trim_start_matches("callout-")));
    let name = names.into_iter().find(|name| word(name).is_some())?;
    let written = head[end..].trim().trim_matches(['"', '[', ']', '\'']).trim();
    let given = attributes.split_once("title=").map(|(_, title)| title.trim_start_matches(['"', '\'']));
    let given = given.and_then(|title| title.split(['"', '\'', '}']).next()).unwrap_or_default();
    Some((name.to_lowercase(), if written.is_empty() { given } else { written }.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::named;

    #[test]
    fn sort_and_title_are_found_in_every_dialect() {
        for (text, word, title) in [
            ("note", "note", ""),
            ("Warning \"Mind it\"", "warning", "Mind it"),
            ("tip[Mind it]", "tip", "Mind it"),
            ("info Mind it", "info", "Mind it"),
            ("note{title=\"Mind it\"}", "note", "Mind it"),
            ("{.callout-important title=\"Mind it\"}", "important", "Mind it"),
            ("{.callout-note}", "note", ""),
        ] {
            assert_eq!(named(text), Some((word.to_owned(), title.to_owned())), "{text}");
        }
        for text in ["{.aside}", "column", "", "{"] {
            assert_eq!(named(text), None, "{text}");
        }
    }
}
