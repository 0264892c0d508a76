//! YAML heads, as Jekyll, Hugo and Eleventy write them.

use std::fmt;
use std::ops::Range;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::Spanned;

use super::{HeadError, Node, Value};

/// Reads the YAML in a part of a file.
pub(in super::super) fn parse(text: &str, part: Range<usize>) -> Result<Vec<(String, Node)>, HeadError> {
    let inner = &text[part.clone()];
    if inner.lines().all(|line| line.trim().is_empty() || line.trim_start().starts_with('#')) {
        return Ok(Vec::new());
    }
    let options = serde_saphyr::options! { with_snippet: false };
    let tree: Spanned<Tree> =
        serde_saphyr::from_str_with_options(inner, options).map_err(|error| located(&error, inner, part.start))?;
    let node = node(tree, text, part.start);
    match node.value {
        Value::Map(fields) => Ok(fields),
        Value::Null => Ok(Vec::new()),
        Value::Bool(_) | Value::Text(_) | Value::List(_) => Err(HeadError {
            span: node.span,
            message: "the front matter is no list of `key: value` lines".to_owned(),
            help: "write each field on a line of its own, for example `title: My post`".to_owned(),
        }),
    }
}

fn located(error: &serde_saphyr::Error, inner: &str, offset: usize) -> HeadError {
    let start = error.location().map_or(0, |location| {
        let line = usize::try_from(location.line()).unwrap_or(1).max(1);
        let column = usize::try_from(location.column()).unwrap_or(1).max(1);
        let line_start: usize = inner.split_inclusive('\n').take(line - 1).map(str::len).sum();
        let rest = &inner[line_start.min(inner.len())..];
        line_start + rest.char_indices().nth(column - 1).map_or(rest.len(), |(at, _)| at)
    });
    let shown = error.without_snippet().to_string();
    let message = shown.lines().next().unwrap_or_default().trim_start_matches("error: ");
    // The parser counts from the fence; the diagnostic shows the line in the file.
    let message = message.rsplit_once(" at line ").map_or(message, |(message, _)| message);
    HeadError {
        span: offset + start..offset + start + 1,
        message: format!("the front matter is not valid YAML: {message}"),
        help: "put a value that holds `: `, `#` or a leading `[`, `{`, `*`, `&`, `@` in quotes".to_owned(),
    }
}

/// Any YAML value; numbers come as text and are replaced by what the author wrote.
enum Tree {
    Null,
    Bool(bool),
    Number(String),
    Text(String),
    List(Vec<Spanned<Tree>>),
    Map(Vec<(String, Spanned<Tree>)>),
}

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(TreeVisitor)
    }
}

struct TreeVisitor;

impl<'de> Visitor<'de> for TreeVisitor {
    type Value = Tree;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a YAML value")
    }

    fn visit_unit<E>(self) -> Result<Tree, E> {
        Ok(Tree::Null)
    }

    fn visit_none<E>(self) -> Result<Tree, E> {
        Ok(Tree::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, from: D) -> Result<Tree, D::Error> {
        from.deserialize_any(self)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Tree, E> {
        Ok(Tree::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Tree, E> {
        Ok(Tree::Number(value.to_string()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Tree, E> {
        Ok(Tree::Number(value.to_string()))
    }

    fn visit_i128<E>(self, value: i128) -> Result<Tree, E> {
        Ok(Tree::Number(value.to_string()))
    }

    fn visit_u128<E>(self, value: u128) -> Result<Tree, E> {
        Ok(Tree::Number(value.to_string()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Tree, E> {
        Ok(Tree::Number(value.to_string()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Tree, E> {
        Ok(Tree::Text(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Tree, E> {
        Ok(Tree::Text(value))
    }

    fn visit_bytes<E>(self, value: &[u8]) -> Result<Tree, E> {
        Ok(Tree::Text(String::from_utf8_lossy(value).into_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Tree, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Tree::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Tree, A::Error> {
        let mut map = Vec::new();
        while let Some(key) = entries.next_key::<Tree>()? {
            let key = match key {
                Tree::Text(text) | Tree::Number(text) => text,
                Tree::Bool(value) => value.to_string(),
                Tree::Null | Tree::List(_) | Tree::Map(_) => String::new(),
            };
            map.push((key, entries.next_value()?));
        }
        Ok(Tree::Map(map))
    }
}

fn node(tree: Spanned<Tree>, text: &str, offset: usize) -> Node {
    let place = tree.referenced.span();
    let start = usize::try_from(place.byte_offset().unwrap_or(0)).unwrap_or(0);
    let length = usize::try_from(place.byte_len().unwrap_or(0)).unwrap_or(0);
    let span = offset + start..offset + start + length;
    let value = match tree.value {
        Tree::Null => Value::Null,
        Tree::Bool(value) => Value::Bool(value),
        Tree::Text(text) => Value::Text(text),
        Tree::Number(number) => {
            let written = text.get(span.clone()).map(str::trim).filter(|written| !written.is_empty());
            Value::Text(written.map_or(number, str::to_owned))
        }
        Tree::List(items) => Value::List(items.into_iter().map(|item| node(item, text, offset)).collect()),
        Tree::Map(entries) => {
            Value::Map(entries.into_iter().map(|(key, value)| (key, node(value, text, offset))).collect())
        }
    };
    Node { value, span }
}
