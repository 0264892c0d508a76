//! What fills the gaps of a copy.

use std::borrow::Cow;

use super::error::{Field, Unrenderable};
use super::frozen::Part;
use super::splice::Recipient;
use super::stencil::Gap;
use super::{header, quoted_printable};
use crate::domain::ids::MessageId;
use crate::domain::time::Instant;

/// What one recipient has for every gap: header values encoded, slot values as they were given.
pub(super) struct Filling<'a> {
    date: String,
    to: String,
    message_id: &'a str,
    recipient: Recipient<'a>,
}

impl<'a> Filling<'a> {
    /// An error is a value that can stand in no header.
    pub(super) fn new(
        recipient: &Recipient<'a>,
        message_id: &'a MessageId,
        date: Instant,
    ) -> Result<Self, Unrenderable> {
        let name = header::name(Field::SubscriberName, recipient.name)?;
        Ok(Self {
            date: header::date(date)?,
            to: header::mailbox("To: ", name, recipient.address),
            message_id: header::message_id(message_id.as_str())?,
            recipient: Recipient {
                unsubscribe_url: header::one_click_url(Field::UnsubscribeUrl, recipient.unsubscribe_url)?,
                ..*recipient
            },
        })
    }

    /// Writes what belongs into a gap.
    pub(super) fn write(&self, gap: &Gap, out: &mut String) {
        match gap {
            Gap::Date => out.push_str(&self.date),
            Gap::To => out.push_str(&self.to),
            Gap::MessageId => out.extend(["<", self.message_id, ">"]),
            Gap::ListUnsubscribe => out.extend(["<", self.recipient.unsubscribe_url, ">"]),
            Gap::Slot(slot, part, default) => match self.recipient.value(slot) {
                "" => write(default, *part, out),
                value => write(value, *part, out),
            },
        }
    }
}

/// Writes a value into a part. A line end or a control character in it is a space.
fn write(value: &str, part: Part, out: &mut String) {
    let value = header::on_one_line(value);
    match part {
        Part::Text => quoted_printable::encode(&value, out),
        Part::Html => quoted_printable::encode(&escape_html(&value), out),
    }
}

/// Fit for element content and for an attribute in either kind of quotes.
fn escape_html(text: &str) -> Cow<'_, str> {
    if !text.contains(['&', '<', '>', '"', '\'']) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    Cow::Owned(out)
}
