//! JSON heads, as Hugo and Eleventy take them.

use std::ops::Range;

use serde::de::IgnoredAny;

use super::{HeadError, Node, Value};

/// Reads the JSON object a part of a file begins with; also where the text after it begins.
pub(super) fn parse(text: &str, part: Range<usize>) -> Result<(Vec<(String, Node)>, usize), HeadError> {
    let inner = &text[part.clone()];
    let mut stream =
        serde_json::Deserializer::from_str(inner).into_iter::<serde_json::Map<String, serde_json::Value>>();
    let fields = match stream.next() {
        Some(Ok(fields)) => fields,
        Some(Err(error)) => return Err(located(&error, inner, part.start)),
        None => return Ok((Vec::new(), part.start)),
    };
    let end = part.start + stream.byte_offset();
    let line_end = text[end..].find('\n').map_or(text.len(), |at| end + at + 1);
    let body = if text[end..line_end].trim().is_empty() { line_end } else { end };
    Ok((entries(fields, text, part.start..end), body))
}

fn located(error: &serde_json::Error, inner: &str, offset: usize) -> HeadError {
    let line_start: usize = inner.split_inclusive('\n').take(error.line().max(1) - 1).map(str::len).sum();
    // serde_json counts columns in bytes, and points at the last byte it read.
    let at = (line_start + error.column().max(1) - 1).min(inner.len());
    let shown = error.to_string();
    let message = shown.rsplit_once(" at line ").map_or(shown.as_str(), |(message, _)| message);
    HeadError {
        span: offset + at..offset + at + 1,
        message: format!("the front matter is not valid JSON: {message}"),
        help: "keys and text values stand in double quotes, and no comma follows the last field".to_owned(),
    }
}

/// `serde_json` keeps no places; keys come in the order of the text, so each value is found
/// behind its key.
fn entries(map: serde_json::Map<String, serde_json::Value>, text: &str, within: Range<usize>) -> Vec<(String, Node)> {
    let mut at = within.start;
    let mut out = Vec::with_capacity(map.len());
    for (key, value) in map {
        let quoted = serde_json::to_string(&key).expect("a string is always JSON");
        let found = text[at..within.end].find(&quoted).map(|found| at + found + quoted.len());
        let span = found.and_then(|after| value_span(text, after, within.end)).unwrap_or(at..within.end);
        if found.is_some() {
            at = span.end;
        }
        out.push((key, node(value, text, span)));
    }
    out
}

fn value_span(text: &str, after: usize, end: usize) -> Option<Range<usize>> {
    let rest = &text[after..end];
    let start = after + rest.find(|c: char| !c.is_whitespace() && c != ':' && c != ',')?;
    let mut stream = serde_json::Deserializer::from_str(&text[start..end]).into_iter::<IgnoredAny>();
    stream.next()?.ok()?;
    Some(start..start + stream.byte_offset())
}

fn node(value: serde_json::Value, text: &str, span: Range<usize>) -> Node {
    let value = match value {
        serde_json::Value::Null => Value::Null,
        serde_json::Value::Bool(value) => Value::Bool(value),
        serde_json::Value::Number(number) => Value::Text(number.to_string()),
        serde_json::Value::String(text) => Value::Text(text),
        serde_json::Value::Array(items) => Value::List(list(items, text, span.clone())),
        serde_json::Value::Object(map) => Value::Map(entries(map, text, span.clone())),
    };
    Node { value, span }
}

fn list(items: Vec<serde_json::Value>, text: &str, within: Range<usize>) -> Vec<Node> {
    let mut at = (within.start + 1).min(within.end);
    let mut out = Vec::with_capacity(items.len());
    for item in items {
        let span = value_span(text, at, within.end).unwrap_or_else(|| within.clone());
        at = span.end.min(within.end);
        out.push(node(item, text, span));
    }
    out
}
