//! What one cell of a list may hold, whatever the file's format.

use std::collections::BTreeMap;

use crate::config::nearest;
use crate::domain::address::Address;
use crate::domain::subscriber::{Cadence, Enrolment, SubscriberState};

/// The longest name, in characters; nobody's is longer, and a header has to hold it.
const MAX_NAME: usize = 256;

/// The longest topic, and the longest name of an attribute, in characters.
const MAX_WORD: usize = 64;

/// The longest value of an attribute, in characters.
const MAX_VALUE: usize = 1024;

/// Why a cell cannot be used, and what to do.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub message: String,
    pub help: String,
}

impl Refusal {
    pub(super) fn new(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { message: message.into(), help: help.into() }
    }
}

/// Why something typed is no person to mail.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct EnrolmentError {
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: String,
}

impl From<Refusal> for EnrolmentError {
    fn from(refusal: Refusal) -> Self {
        Self { message: refusal.message, help: refusal.help }
    }
}

/// One person as typed on a command line, under the rules of a list's row. `source` becomes
/// the consent source.
pub fn enrolment(
    email: &str,
    typed_name: Option<&str>,
    topics: &[String],
    source: &str,
) -> Result<Enrolment, EnrolmentError> {
    let topics = topics.iter().map(|text| topic(text)).filter_map(Result::transpose);
    Ok(Enrolment {
        address: address(email)?,
        name: typed_name.map(name).transpose()?.flatten(),
        topics: topics.collect::<Result<_, _>>()?,
        cadence: Cadence::default(),
        attributes: BTreeMap::new(),
        source: source.to_owned(),
    })
}

/// The address.
pub(super) fn address(text: &str) -> Result<Address, Refusal> {
    Address::parse(text).map_err(|error| Refusal::new(format!("`{}` is no address", shown(text)), error.to_string()))
}

/// A name for a header: without control characters and line separators, 256 characters at
/// most. Blank is no name.
pub(super) fn name(text: &str) -> Result<Option<String>, Refusal> {
    let text = clean("the name", text, MAX_NAME)?;
    Ok((!text.is_empty()).then(|| text.to_owned()))
}

/// One topic; `;` divides topics in CSV and so cannot be part of one.
pub(super) fn topic(text: &str) -> Result<Option<String>, Refusal> {
    let text = clean("the topic", text, MAX_WORD)?;
    if text.contains(';') {
        return Err(Refusal::new(format!("the topic `{text}` holds a `;`"), "write it as two topics"));
    }
    Ok((!text.is_empty()).then(|| text.to_owned()))
}

/// How often; blank is every post.
pub(super) fn cadence(text: &str) -> Result<Cadence, Refusal> {
    let word = text.trim().to_lowercase();
    if word.is_empty() {
        return Ok(Cadence::default());
    }
    Cadence::from_word(&word).ok_or_else(|| {
        let known = ["every", "daily", "weekly", "monthly"];
        let help = match nearest(&word, known) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => format!("one of {}", known.join(", ")),
        };
        Refusal::new(format!("`{}` is no cadence", shown(text)), help)
    })
}

/// Where the person stood when the list was exported; blank is active.
pub(super) fn state(text: &str) -> Result<SubscriberState, Refusal> {
    let word = text.trim().to_lowercase();
    if word.is_empty() {
        return Ok(SubscriberState::Active);
    }
    SubscriberState::from_word(&word).ok_or_else(|| {
        let help = "`active` people are taken, `pending`, `unsubscribed`, `bounced` and `complained` ones left out";
        Refusal::new(format!("`{}` is no state of a subscriber", shown(text)), help)
    })
}

/// Names of columns that mean something else than an attribute.
const TAKEN: [&str; 10] =
    ["email", "e-mail", "email address", "e-mail address", "name", "full name", "topics", "cadence", "state", "since"];

/// The name of an attribute: not blank, and none that a column has by itself.
pub(super) fn attribute_name(text: &str) -> Result<&str, Refusal> {
    let name = clean("the attribute's name", text, MAX_WORD)?;
    if name.is_empty() || TAKEN.contains(&name.to_lowercase().as_str()) {
        return Err(Refusal::new(format!("`{name}` cannot be the name of an attribute"), "choose another name"));
    }
    Ok(name)
}

/// The value of an attribute.
pub(super) fn attribute(key: &str, text: &str) -> Result<String, Refusal> {
    clean(&format!("`{key}`"), text, MAX_VALUE).map(str::to_owned)
}

fn clean<'t>(what: &str, text: &'t str, longest: usize) -> Result<&'t str, Refusal> {
    let length = text.chars().count();
    if length > longest {
        let message = format!("{what} is {length} characters long");
        return Err(Refusal::new(message, format!("{longest} characters are the most")));
    }
    match text.chars().find(|c| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')) {
        Some(bad) => {
            let message = format!("{what} holds the control character U+{:04X}", u32::from(bad));
            Err(Refusal::new(message, "write it on one line, without control characters"))
        }
        None => Ok(text.trim()),
    }
}

/// A cell as it can stand in a message: short, and on one line.
pub(super) fn shown(text: &str) -> String {
    let short: String = text.chars().take(40).collect();
    let more = if short.len() < text.len() { "…" } else { "" };
    format!("{}{more}", short.escape_debug())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hostile_name_is_refused_with_the_reason() {
        for (bad, reason) in [
            ("Ada\r\nBcc: x", "the name holds the control character U+000D"),
            ("Ada\nX: y", "the name holds the control character U+000A"),
            ("Ada\0", "the name holds the control character U+0000"),
            ("Ada\u{2028}", "the name holds the control character U+2028"),
            (&"x".repeat(65_536), "the name is 65536 characters long"),
        ] {
            assert_eq!(name(bad).unwrap_err().message, reason);
        }
        assert_eq!(name("  Zoë 日本 "), Ok(Some("Zoë 日本".to_owned())));
        assert_eq!(name(" "), Ok(None));
    }

    #[test]
    fn a_cadence_is_a_word_in_any_case() {
        assert_eq!(cadence("Weekly"), Ok(Cadence::Weekly));
        assert_eq!(cadence(""), Ok(Cadence::Every));
        assert_eq!(cadence("weakly").unwrap_err().help, "did you mean `weekly`?");
    }
}
