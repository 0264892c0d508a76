//! The head of a post: what its author says about it before the text begins.
//!
//! Four notations become one tree of [`Node`]s, each with its place in the file, so that every
//! complaint about a value can point at it.

mod date;
mod fields;
#[cfg(test)]
mod fields_tests;
mod json;
mod pelican;
mod toml;
mod values;
mod yaml;

use std::ops::Range;

pub(super) use date::{at_local_midnight, parse_date};
pub(super) use fields::{Fields, Placed, Status, Surroundings, read_fields};
pub(super) use toml::parse as parse_toml;
pub(super) use yaml::parse as parse_yaml;

/// How a post's head is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub enum HeadKind {
    /// Between lines of `+++`.
    Toml,
    /// Between lines of `---`.
    Yaml,
    /// In braces.
    Json,
    /// `Key: value` lines up to the first blank one.
    Pelican,
    /// No head at all.
    None,
}

/// A value and the bytes of the file it stands in.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Node {
    pub(super) value: Value,
    pub(super) span: Range<usize>,
}

/// What a head can say. Numbers and dates stay text as the author wrote them.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Null,
    Bool(bool),
    Text(String),
    List(Vec<Node>),
    Map(Vec<(String, Node)>),
}

/// A post's head, and where the text after it begins.
#[derive(Debug)]
pub(super) struct Head {
    pub(super) kind: HeadKind,
    pub(super) fields: Vec<(String, Node)>,
    /// The byte at which the text begins.
    pub(super) body: usize,
}

/// Why a head cannot be read.
#[derive(Debug)]
pub(super) struct HeadError {
    pub(super) span: Range<usize>,
    pub(super) message: String,
    pub(super) help: String,
}

/// Finds and reads the head of a file. A file whose first lines only resemble one has none.
pub(super) fn read_head(text: &str) -> Result<Head, HeadError> {
    if first_line(text) == "+++" {
        let block = fenced(text, &["+++"]).ok_or_else(|| never_closed("+++"))?;
        return Ok(Head { kind: HeadKind::Toml, fields: toml::parse(text, block.inner)?, body: block.body });
    }
    if first_line(text) == "---" {
        return read_yaml(text);
    }
    if first_line(text) == "---json" {
        return read_fenced_json(text);
    }
    if looks_like_json(text) {
        let (fields, body) = json::parse(text, 0..text.len())?;
        return Ok(Head { kind: HeadKind::Json, fields, body });
    }
    Ok(pelican::parse(text).map_or(Head { kind: HeadKind::None, fields: Vec::new(), body: 0 }, |(fields, body)| Head {
        kind: HeadKind::Pelican,
        fields,
        body,
    }))
}

/// Where the head of a file says the title, if it has one.
pub(super) fn title_span(text: &str) -> Option<Range<usize>> {
    let head = read_head(text).ok()?;
    values::field(&head.fields, "title").map(|node| node.span.clone())
}

/// A first line of `---` may also be a thematic break: then no key follows it.
fn read_yaml(text: &str) -> Result<Head, HeadError> {
    let none = Head { kind: HeadKind::None, fields: Vec::new(), body: 0 };
    match fenced(text, &["---", "..."]) {
        Some(block) if block.inner.is_empty() || begins_with_key(&text[block.inner.clone()]) => {
            Ok(Head { kind: HeadKind::Yaml, fields: yaml::parse(text, block.inner)?, body: block.body })
        }
        None if begins_with_key(&text[3..]) => Err(never_closed("---")),
        Some(_) | None => Ok(none),
    }
}

/// Eleventy's fence around JSON. The first line does not occur in prose, so this is a head.
fn read_fenced_json(text: &str) -> Result<Head, HeadError> {
    let block = fenced(text, &["---"]).ok_or_else(|| never_closed("---json"))?;
    let (fields, _) = json::parse(text, block.inner)?;
    Ok(Head { kind: HeadKind::Json, fields, body: block.body })
}

fn begins_with_key(text: &str) -> bool {
    let line = text.lines().map(str::trim).find(|line| !line.is_empty() && !line.starts_with('#'));
    line.and_then(|line| line.split_once(':')).is_some_and(|(key, _)| {
        let key = key.trim_matches(['"', '\'']);
        !key.is_empty() && key.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.'))
    }) || line.is_some_and(|line| line.starts_with('{') && !line.starts_with("{{") && !line.starts_with("{%"))
}

fn looks_like_json(text: &str) -> bool {
    text.strip_prefix('{').is_some_and(|rest| rest.trim_start().starts_with(['"', '}']))
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default().trim_end()
}

fn never_closed(fence: &str) -> HeadError {
    HeadError {
        span: 0..fence.len(),
        message: format!("the front matter begins with `{fence}` and never ends"),
        help: format!("close it with a line that holds only `{}`", &fence[..3]),
    }
}

struct Block {
    inner: Range<usize>,
    body: usize,
}

/// The lines between the first line and the next one that equals a closing fence.
fn fenced(text: &str, closing: &[&str]) -> Option<Block> {
    let start = text.find('\n')? + 1;
    let mut at = start;
    for line in text[start..].split_inclusive('\n') {
        if closing.contains(&line.trim_end()) {
            return Some(Block { inner: start..at, body: at + line.len() });
        }
        at += line.len();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text_of(head: &Head, key: &str) -> Option<String> {
        let (_, node) = head.fields.iter().find(|(name, _)| name == key)?;
        match &node.value {
            Value::Text(text) => Some(text.clone()),
            Value::Null | Value::Bool(_) | Value::List(_) | Value::Map(_) => None,
        }
    }

    #[test]
    fn all_notations_say_the_same() {
        for (text, kind) in [
            ("+++\ntitle = \"A: b\"\nnumber = 7\n+++\nBody", HeadKind::Toml),
            ("---\ntitle: 'A: b'\nnumber: 7\n---\nBody", HeadKind::Yaml),
            ("---\ntitle: 'A: b'\nnumber: 7\n...\nBody", HeadKind::Yaml),
            ("{\"title\": \"A: b\", \"number\": 7}\nBody", HeadKind::Json),
            ("---json\n{\"title\": \"A: b\", \"number\": 7}\n---\nBody", HeadKind::Json),
            ("title: A: b\nnumber: 7\n\nBody", HeadKind::Pelican),
        ] {
            let head = read_head(text).unwrap();
            assert_eq!(head.kind, kind, "{text}");
            assert_eq!(text_of(&head, "title").as_deref(), Some("A: b"), "{text}");
            assert_eq!(text_of(&head, "number").as_deref(), Some("7"), "{text}");
            let (_, number) = head.fields.iter().find(|(name, _)| name == "number").unwrap();
            assert_eq!(&text[number.span.clone()], "7", "{text}");
            assert_eq!(text[head.body..].trim(), "Body");
        }
    }

    #[test]
    fn what_only_resembles_a_head_is_text() {
        for text in [
            "",
            "---",
            "---\n\nA rule above, a rule below.\n\n---\n",
            "Note: this is prose.\n\nMore.",
            "Note: a\nWarning: b\n\nMore.",
            "{{ x }}\n",
            "{% raw %}\n",
            "{x}",
            "+ + +",
            "# Title: a\n",
            "Date: it was a good one.\n\nMore.",
        ] {
            let head = read_head(text).unwrap();
            assert_eq!((head.kind, head.body, head.fields.len()), (HeadKind::None, 0, 0), "{text:?}");
        }
    }

    #[test]
    fn a_broken_head_is_located() {
        for (text, meant) in [
            ("+++\ntitle = \"a\"\ndate = oops\n+++\n", "oops"),
            ("{\"title\": \"a\", oops}\n", "oops}"),
            ("---json\n{\"title\": \"a\", oops}\n---\n", "oops}"),
            ("---json\n{\"title\": \"a\"}\n", "---json"),
            ("---\ntitle: a\n", "---"),
            ("+++\ntitle = 1\n", "+++"),
        ] {
            let error = read_head(text).unwrap_err();
            assert!(text[error.span.start..].starts_with(meant), "{text:?}: {error:?}");
        }
        let text = "---\ntitle: a\ntags: [a, b\nx: \"y\n---\n";
        let error = read_head(text).unwrap_err();
        assert!(error.span.start > 4 && error.span.start <= text.len(), "{error:?}");
        assert!(!error.message.contains('\n') && !error.message.contains("at line"), "{error:?}");
    }

    #[test]
    fn numbers_and_dates_stay_as_written() {
        let head = read_head("---\nversion: 1.10\ndate: 2025-01-15\nyes: no\nzip: 007\n---\n").unwrap();
        assert_eq!(text_of(&head, "version").as_deref(), Some("1.10"));
        assert_eq!(text_of(&head, "date").as_deref(), Some("2025-01-15"));
        assert_eq!(text_of(&head, "zip").as_deref(), Some("007"));
        let head = read_head("+++\nd = 2025-01-15T10:00:00Z\nf = 1.10\ni = 0x1F\n+++\n").unwrap();
        assert_eq!(text_of(&head, "d").as_deref(), Some("2025-01-15T10:00:00Z"));
        assert_eq!(text_of(&head, "f").as_deref(), Some("1.10"));
    }
}
