//! Reading back what was written, before it may replace what there is.

use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::name::ResolveResult;
use quick_xml::reader::NsReader;

use super::prepare::{Prepared, is_legal, words};
use super::{FeedError, Format};

/// What a reader must find of an entry.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Seen {
    /// The id, exactly.
    pub id: String,
    /// The title; readers may trim it.
    pub title: String,
}

/// Reads a written feed as plain XML, by the crate it was built with, and by feed-rs.
pub(super) fn check_xml(
    format: Format,
    bytes: &[u8],
    wanted: &Prepared,
    reader: &'static str,
    read_back: fn(&[u8]) -> Result<Vec<Seen>, String>,
) -> Result<(), FeedError> {
    check_well_formed(bytes).map_err(|reason| refused(format, "an XML parser", reason))?;
    let found = read_back(bytes).and_then(|found| compare(wanted, found));
    found.map_err(|reason| refused(format, reader, reason))?;
    check_with_feed_rs(format, bytes, wanted)
}

/// Reads a written feed with feed-rs, which has no share in writing it.
pub(super) fn check_with_feed_rs(format: Format, bytes: &[u8], wanted: &Prepared) -> Result<(), FeedError> {
    let refuse = |reason: String| refused(format, "feed-rs", reason);
    let feed = feed_rs::parser::parse(bytes).map_err(|error| refuse(error.to_string()))?;
    let seen = |entry: feed_rs::model::Entry| Seen {
        id: entry.id,
        title: entry.title.map(|title| title.content).unwrap_or_default(),
    };
    compare(wanted, feed.entries.into_iter().map(seen).collect()).map_err(refuse)
}

pub(super) fn refused(format: Format, reader: &'static str, reason: String) -> FeedError {
    FeedError::Refused { format, reader, reason }
}

fn compare(wanted: &Prepared, found: Vec<Seen>) -> Result<(), String> {
    if wanted.entries.len() != found.len() {
        return Err(format!("{} entries were written and {} found", wanted.entries.len(), found.len()));
    }
    for (entry, found) in wanted.entries.iter().zip(found) {
        let found = Seen { title: words(&found.title), ..found };
        let wanted = Seen { id: entry.id.to_string(), title: entry.title.clone() };
        if wanted != found {
            return Err(format!("`{}` became `{}`", show(&wanted), show(&found)));
        }
    }
    Ok(())
}

fn show(seen: &Seen) -> String {
    format!("{} {}", seen.id, seen.title)
}

/// Whether bytes are a namespace-well-formed XML 1.0 document in UTF-8 without a DOCTYPE:
/// one root, no unbound prefix, no attribute twice, no unknown entity, only legal characters.
/// The error says what is wrong and at which byte.
pub(super) fn check_well_formed(bytes: &[u8]) -> Result<(), String> {
    let text = std::str::from_utf8(bytes).map_err(|error| error.to_string())?;
    if let Some((at, c)) = text.char_indices().find(|(_, c)| !is_legal(*c)) {
        return Err(format!("the character U+{:04X} is forbidden, at byte {at}", u32::from(c)));
    }
    let mut reader = NsReader::from_str(text);
    let mut depth = 0_usize;
    let mut roots = 0_usize;
    loop {
        let event = reader.read_event().map_err(|error| error.to_string())?;
        let found = match &event {
            Event::Start(element) => {
                roots += usize::from(depth == 0);
                depth += 1;
                check_element(&reader, element)
            }
            Event::Empty(element) => {
                roots += usize::from(depth == 0);
                check_element(&reader, element)
            }
            Event::End(_) => {
                depth -= 1;
                Ok(())
            }
            Event::GeneralRef(reference) if depth > 0 => check_reference(reference),
            Event::Text(text) if depth > 0 || text.trim().is_empty() => check_text(text),
            Event::CData(_) if depth > 0 => Ok(()),
            Event::Text(_) | Event::CData(_) | Event::GeneralRef(_) => Err("text outside the root".to_owned()),
            Event::DocType(_) => Err("a DOCTYPE".to_owned()),
            Event::Decl(_) | Event::Comment(_) | Event::PI(_) => Ok(()),
            Event::Eof => break,
        };
        found.map_err(|reason| format!("{reason}, before byte {}", reader.buffer_position()))?;
    }
    match (depth, roots) {
        (0, 1) => Ok(()),
        (0, _) => Err(format!("{roots} root elements")),
        _ => Err("it ends within an element".to_owned()),
    }
}

fn check_element(reader: &NsReader<&[u8]>, element: &BytesStart) -> Result<(), String> {
    let unbound = |result: &ResolveResult| matches!(result, ResolveResult::Unknown(_));
    if unbound(&reader.resolver().resolve_element(element.name()).0) {
        return Err(format!("the prefix of `{}` is not declared", element.name().0));
    }
    for attribute in element.attributes() {
        let attribute = attribute.map_err(|error| error.to_string())?;
        if unbound(&reader.resolver().resolve_attribute(attribute.key).0) {
            return Err(format!("the prefix of `{}` is not declared", attribute.key.0));
        }
        if attribute.value.contains('<') {
            return Err(format!("a `<` in the attribute `{}`", attribute.key.0));
        }
        let value = quick_xml::escape::unescape(&attribute.value).map_err(|error| error.to_string())?;
        if !value.chars().all(is_legal) {
            return Err(format!("a reference to a forbidden character in `{}`", attribute.key.0));
        }
    }
    Ok(())
}

fn check_text(text: &str) -> Result<(), String> {
    if text.contains("]]>") { Err("`]]>` in a text".to_owned()) } else { Ok(()) }
}

fn check_reference(reference: &BytesRef) -> Result<(), String> {
    match reference.resolve_char_ref().map_err(|error| error.to_string())? {
        Some(c) if is_legal(c) => Ok(()),
        Some(c) => Err(format!("a reference to the forbidden character U+{:04X}", u32::from(c))),
        None if resolve_predefined_entity(reference).is_some() => Ok(()),
        None => Err(format!("the entity `{}` is not declared", &**reference)),
    }
}

#[cfg(test)]
mod tests {
    use super::check_well_formed;

    #[test]
    fn well_formed_documents_pass() {
        for good in [
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<a/>\n",
            "<a xmlns:b='u'><b:c b:d='1' d='2' xml:lang='en'>&amp;&#x3C;\u{85}]]&gt;</b:c><![CDATA[<]]></a>",
        ] {
            assert_eq!(check_well_formed(good.as_bytes()), Ok(()), "{good}");
        }
    }

    #[test]
    fn everything_that_breaks_a_feed_is_found() {
        for bad in [
            "",
            "text",
            "<a>",
            "<a></b>",
            "<a/><b/>",
            "<a/>text",
            "<a b='1' b='2'/>",
            "<b:a/>",
            "<a b:c='1'/>",
            "<a>\u{b}</a>",
            "<a>\u{fffe}</a>",
            "<a>&#11;</a>",
            "<a b='&#11;'/>",
            "<a>&nbsp;</a>",
            "<a b='&nbsp;'/>",
            "<a b='<'/>",
            "<a>]]></a>",
            "<!DOCTYPE a><a/>",
            "<a>&</a>",
            "</a>",
            "<a b='&'/>",
        ] {
            assert!(check_well_formed(bad.as_bytes()).is_err(), "{bad:?}");
        }
        assert!(check_well_formed(b"<a>\xff</a>").is_err());
    }
}
