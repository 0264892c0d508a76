//! Single values of a head, read one way or another.

use super::{Node, Value};

/// The first field of a name, whatever its case.
pub(super) fn field<'a>(fields: &'a [(String, Node)], name: &str) -> Option<&'a Node> {
    fields.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, node)| node)
}

/// Yes or no, in the words of YAML and of people.
pub(super) fn boolean(node: &Node) -> Option<bool> {
    match &node.value {
        Value::Bool(value) => Some(*value),
        Value::Text(text) => match text.to_lowercase().as_str() {
            "true" | "yes" | "on" | "1" => Some(true),
            "false" | "no" | "off" | "0" => Some(false),
            _ => None,
        },
        Value::Null | Value::List(_) | Value::Map(_) => None,
    }
}

/// The text in an image field: itself, the first of a list, or the right entry of a table.
pub(super) fn image_leaf(node: &Node) -> Option<&Node> {
    match &node.value {
        Value::Text(_) => Some(node),
        Value::List(items) => items.first().and_then(image_leaf),
        Value::Map(fields) => ["image", "src", "url", "path", "feature", "teaser"]
            .iter()
            .find_map(|name| field(fields, name))
            .and_then(image_leaf),
        Value::Null | Value::Bool(_) => None,
    }
}

/// An old URL as a path of the site; `None` for what is none.
pub(super) fn alias_path(text: &str) -> Option<String> {
    let path = text.trim().trim_start_matches('/');
    let is_path = !path.is_empty() && !path.contains("://") && !path.split('/').any(|part| part == "..");
    is_path.then(|| path.to_owned())
}

/// `Ada Lovelace <ada@example.org>` without the address, which no reader needs to see.
pub(super) fn without_address(text: &str) -> String {
    one_line(text.split('<').next().unwrap_or_default())
}

/// A text with every run of white space as one space: nothing that could end a header line.
pub(super) fn one_line(text: &str) -> String {
    text.split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}
