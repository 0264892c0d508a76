//! Header values: what may become one, and what is refused.

use std::borrow::Cow;

use chrono::Datelike as _;

use super::error::{Field, Reason, Unrenderable};
use super::words::{Line, is_atext};
use crate::domain::address::Address;
use crate::domain::time::Instant;

/// The most bytes of a subject or a title: with their encoding they stay far below what
/// servers take as a header.
const TEXT_LIMIT: usize = 1000;
/// The most bytes of a person's name.
const NAME_LIMIT: usize = 300;
/// The most bytes of a URL: it cannot be folded, and a line ends at 998.
const URL_LIMIT: usize = 900;
/// RFC 2919, 2.
const LIST_ID_LIMIT: usize = 255;

/// The author's text for a header: control characters and line separators become spaces,
/// white space is one space, nothing at either end.
pub(super) fn one_line(field: Field, text: &str) -> Result<String, Unrenderable> {
    let spaced = text.replace(breaks_lines, " ");
    let line = spaced.split_whitespace().collect::<Vec<_>>().join(" ");
    within(field, line.len(), TEXT_LIMIT)?;
    Ok(line)
}

/// A value for a part: what could end a line is a space. Most values are returned as they are.
pub(super) fn on_one_line(value: &str) -> Cow<'_, str> {
    let is_plain = every(value, |byte| matches!(byte, b' '..=b'~'));
    if is_plain || !value.contains(breaks_lines) {
        return Cow::Borrowed(value);
    }
    Cow::Owned(value.replace(breaks_lines, " "))
}

/// A person's name, trimmed; `None` when nothing is left. A name with a control character is
/// no name but an attempt, and refused.
pub(super) fn name(field: Field, name: Option<&str>) -> Result<Option<&str>, Unrenderable> {
    let Some(name) = name.map(str::trim).filter(|name| !name.is_empty()) else {
        return Ok(None);
    };
    within(field, name.len(), NAME_LIMIT)?;
    if name.contains(breaks_lines) {
        return Err(Unrenderable::new(field, Reason::ControlCharacter));
    }
    Ok(Some(name))
}

/// An absolute URL that can stand between angle brackets.
pub(super) fn url(field: Field, url: &str) -> Result<&str, Unrenderable> {
    within(field, url.len(), URL_LIMIT)?;
    if !every(url, |b| matches!(b, b'!'..=b'~') & !matches!(b, b'<' | b'>' | b'"' | b'\\')) {
        let is_control = url.chars().any(breaks_lines);
        return Err(Unrenderable::new(field, if is_control { Reason::ControlCharacter } else { Reason::Character }));
    }
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    match rest {
        Some(rest) if !rest.is_empty() && !rest.starts_with(['/', '?', '#', ':']) => Ok(url),
        Some(_) | None => Err(Unrenderable::new(field, Reason::NotHttp)),
    }
}

/// A URL for one-click unsubscribing: https, or a host that is this machine (RFC 8058, 3.1).
pub(super) fn one_click_url(field: Field, text: &str) -> Result<&str, Unrenderable> {
    let url = url(field, text)?;
    match url.strip_prefix("http://") {
        Some(rest) if !is_loopback(rest) => Err(Unrenderable::new(field, Reason::NotHttps)),
        Some(_) | None => Ok(url),
    }
}

fn is_loopback(after_scheme: &str) -> bool {
    if after_scheme.starts_with("[::1]") {
        return true;
    }
    let host = after_scheme.split([':', '/', '?', '#']).next().unwrap_or_default();
    let is_v4 = host.parse::<std::net::Ipv4Addr>().is_ok_and(|address| address.is_loopback());
    is_v4 || host == "localhost" || host.ends_with(".localhost")
}

/// The value of Date, in UTC and whole seconds (RFC 5322, 3.3).
pub(super) fn date(moment: Instant) -> Result<String, Unrenderable> {
    if !(1900..=9999).contains(&moment.year()) {
        return Err(Unrenderable::new(Field::Date, Reason::OutsideCalendar));
    }
    let mut date = moment.to_rfc2822();
    if moment.day() < 10 {
        // Two digits, always: what was sent once must have the same bytes again.
        date.insert("Tue, ".len(), '0');
    }
    Ok(date)
}

/// An id that can stand between the angle brackets of Message-ID: what is no `msg-id` is refused
/// (RFC 5322, 3.6.4).
pub(super) fn message_id(id: &str) -> Result<&str, Unrenderable> {
    let (left, right) = id.split_once('@').ok_or(Unrenderable::new(Field::MessageId, Reason::Character))?;
    if !(is_dot_atom(left) && is_dot_atom(right)) {
        return Err(Unrenderable::new(Field::MessageId, Reason::Character));
    }
    Ok(id)
}

/// The value of List-Id: the title as a phrase and the id in angle brackets (RFC 2919, 3).
pub(super) fn list_id(title: &str, id: &str) -> Result<String, Unrenderable> {
    within(Field::ListId, id.len(), LIST_ID_LIMIT)?;
    if !is_dot_atom(id) {
        return Err(Unrenderable::new(Field::ListId, Reason::Character));
    }
    let mut line = Line::after("List-Id: ");
    let title = one_line(Field::Title, title)?;
    if !title.is_empty() {
        line.phrase(&title);
    }
    line.word(&format!("<{id}>"));
    Ok(line.into_value())
}

/// A mailbox as the value of a header of that name (RFC 5322, 3.4). The name has passed
/// [`name`].
pub(super) fn mailbox(header: &str, name: Option<&str>, address: &Address) -> String {
    let mut line = Line::after(header);
    match name {
        Some(name) => {
            line.phrase(name);
            line.word(&["<", address.as_str(), ">"].concat());
        }
        None => line.word(address.as_str()),
    }
    line.into_value()
}

/// Text that has passed [`one_line`] as the value of an unstructured header of that name.
pub(super) fn unstructured(header: &str, text: &str) -> String {
    let mut line = Line::after(header);
    line.text(text);
    line.into_value()
}

fn within(field: Field, length: usize, limit: usize) -> Result<(), Unrenderable> {
    if length > limit { Err(Unrenderable::new(field, Reason::TooLong { limit })) } else { Ok(()) }
}

/// Controls (with NUL, CR, LF and U+0085) and the separators that some readers take for line
/// ends.
fn breaks_lines(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')
}

/// Whether every byte is of a kind. Without an early way out, so that the compiler takes many at a time.
fn every(text: &str, is_of_the_kind: impl Fn(u8) -> bool) -> bool {
    text.bytes().fold(true, |so_far, byte| so_far & is_of_the_kind(byte))
}

fn is_dot_atom(text: &str) -> bool {
    text.split('.').all(|atom| !atom.is_empty() && atom.bytes().all(is_atext))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_breaks_in_titles_become_spaces_and_in_names_are_refused() {
        let hostile = " a\r\nBcc: x\u{0}\u{85}\u{2028}\u{2029}\tb ";
        assert_eq!(one_line(Field::Subject, hostile).unwrap(), "a Bcc: x b");
        let refused = Err(Unrenderable::new(Field::SubscriberName, Reason::ControlCharacter));
        for bad in ["a\rb", "a\nb", "a\0b", "a\u{85}b", "a\u{2028}b", "a\u{2029}b", "a\u{7f}b"] {
            assert_eq!(name(Field::SubscriberName, Some(bad)), refused, "{bad:?}");
        }
        assert_eq!(name(Field::SubscriberName, Some(" \t ")), Ok(None));
    }

    #[test]
    fn a_value_of_64_kb_is_refused() {
        let long = "x".repeat(65_536);
        assert_eq!(one_line(Field::Subject, &long).unwrap_err().reason, Reason::TooLong { limit: TEXT_LIMIT });
        assert_eq!(name(Field::SenderName, Some(&long)).unwrap_err().reason, Reason::TooLong { limit: NAME_LIMIT });
        assert!(url(Field::WebUrl, &format!("https://a.example/{long}")).is_err());
        assert!(list_id("T", &long).is_err());
    }

    #[test]
    fn only_a_clean_https_url_unsubscribes() {
        for good in ["https://a.example/u/x?y=1&z", "http://127.0.0.1:8080/u", "http://localhost/u", "http://[::1]/u"] {
            assert_eq!(one_click_url(Field::UnsubscribeUrl, good), Ok(good));
        }
        for (bad, reason) in [
            ("http://a.example/u", Reason::NotHttps),
            ("http://127.0.0.1.evil.example/u", Reason::NotHttps),
            ("mailto:a@example.org", Reason::NotHttp),
            ("https:///u", Reason::NotHttp),
            ("", Reason::NotHttp),
            ("https://a.example/>,<mailto:x@y.z", Reason::Character),
            ("https://a.example/ü", Reason::Character),
            ("https://a.example/ x", Reason::Character),
            ("https://a.example/\r\nBcc: x", Reason::ControlCharacter),
        ] {
            assert_eq!(one_click_url(Field::UnsubscribeUrl, bad).unwrap_err().reason, reason, "{bad:?}");
        }
    }

    #[test]
    fn ids_that_could_close_their_bracket_are_refused() {
        assert_eq!(message_id("0f@example.org"), Ok("0f@example.org"));
        for bad in ["0f", "0f@", "0f@a>", "a b@c", "é@c", "a@b@c", "a..b@c"] {
            assert!(message_id(bad).is_err(), "{bad}");
        }
        assert_eq!(list_id("ML Field Notes", "notes.example.org").unwrap(), "ML Field Notes <notes.example.org>");
        assert_eq!(list_id("", "notes.example.org").unwrap(), "<notes.example.org>");
        assert!(list_id("T", "notes>.example.org").is_err());
    }

    #[test]
    fn a_date_is_written_in_utc_and_four_digit_years() {
        let moment = crate::domain::time::from_millis(784_887_151_999);
        assert_eq!(date(moment).unwrap(), "Tue, 15 Nov 1994 08:12:31 +0000");
        assert_eq!(date(moment - chrono::TimeDelta::days(10)).unwrap(), "Sat, 05 Nov 1994 08:12:31 +0000");
        assert!(date(Instant::MAX_UTC).is_err() && date(Instant::MIN_UTC).is_err());
    }
}
