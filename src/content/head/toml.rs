//! TOML heads, as Zola and Hugo write them.

use std::ops::Range;

use ::toml::Spanned;
use ::toml::de::{DeTable, DeValue};

use super::{HeadError, Node, Value};

/// Reads the TOML in a part of a file.
pub(in super::super) fn parse(text: &str, part: Range<usize>) -> Result<Vec<(String, Node)>, HeadError> {
    let table = DeTable::parse(&text[part.clone()]).map_err(|error| {
        let span = error.span().unwrap_or(0..1);
        HeadError {
            span: part.start + span.start..part.start + span.end.max(span.start + 1),
            message: format!("the front matter is not valid TOML: {}", error.message().trim().replace('\n', "; ")),
            help: "text values stand in double quotes, lists in brackets".to_owned(),
        }
    })?;
    Ok(entries(table.into_inner(), text, part.start))
}

fn entries(table: DeTable<'_>, text: &str, offset: usize) -> Vec<(String, Node)> {
    table.into_iter().map(|(key, value)| (key.into_inner().into_owned(), node(value, text, offset))).collect()
}

fn node(value: Spanned<DeValue<'_>>, text: &str, offset: usize) -> Node {
    let span = offset + value.span().start..offset + value.span().end;
    let as_written = || Value::Text(text.get(span.clone()).unwrap_or_default().to_owned());
    let value = match value.into_inner() {
        DeValue::String(text) => Value::Text(text.into_owned()),
        DeValue::Integer(_) | DeValue::Float(_) => as_written(),
        DeValue::Boolean(value) => Value::Bool(value),
        DeValue::Datetime(moment) => Value::Text(moment.to_string()),
        DeValue::Array(items) => Value::List(items.into_iter().map(|item| node(item, text, offset)).collect()),
        DeValue::Table(table) => Value::Map(entries(table, text, offset)),
    };
    Node { value, span }
}
