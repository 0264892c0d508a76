//! `Key: value` heads, as Pelican and Python-Markdown read them.

use chrono_tz::Tz;

use super::{Node, Value, parse_date};

/// Reads the head a file begins with; also where the text after it begins.
///
/// Prose may begin with `Note: …`, so a head must name a title, or a date that is one.
pub(super) fn parse(text: &str) -> Option<(Vec<(String, Node)>, usize)> {
    let mut fields: Vec<(String, Node)> = Vec::new();
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let content = line.trim_end();
        if content.is_empty() {
            at += line.len();
            break;
        }
        if !fields.is_empty() && line.starts_with("    ") {
            continue_value(&mut fields, content, at);
        } else if let Some(field) = field(content, at) {
            fields.push(field);
        } else {
            break;
        }
        at += line.len();
    }
    is_head(&fields).then_some((fields, at))
}

fn field(line: &str, at: usize) -> Option<(String, Node)> {
    let (key, value) = line.split_once(':')?;
    let is_key = key.starts_with(|c: char| c.is_ascii_alphabetic())
        && key.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'));
    // `https://…` is no field.
    if !is_key || value.starts_with("//") {
        return None;
    }
    let start = at + line.len() - value.trim_start().len();
    let value = value.trim();
    Some((key.to_lowercase(), Node { value: Value::Text(value.to_owned()), span: start..start + value.len() }))
}

/// An indented line goes on with the value before it.
fn continue_value(fields: &mut [(String, Node)], content: &str, at: usize) {
    if let Some((_, Node { value: Value::Text(value), span })) = fields.last_mut() {
        if !value.is_empty() {
            value.push(' ');
        }
        value.push_str(content.trim());
        span.end = at + content.len();
    }
}

fn is_head(fields: &[(String, Node)]) -> bool {
    let text = |name: &str| {
        fields.iter().find(|(key, _)| key == name).and_then(|(_, node)| match &node.value {
            Value::Text(text) => Some(text.as_str()),
            Value::Null | Value::Bool(_) | Value::List(_) | Value::Map(_) => None,
        })
    };
    text("title").is_some() || text("date").is_some_and(|date| parse_date(date, Tz::UTC).is_some())
}
