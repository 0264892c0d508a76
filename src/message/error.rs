//! Why a message cannot be made.

use super::scan::Flaw;

/// An issue or one recipient's copy of it that must not leave the house.
///
/// From [`freeze`](super::freeze) it is about the issue and stops the campaign before it
/// opens; from [`assemble`](super::assemble) it is about one recipient, whose delivery is
/// settled with this text as the reason. It never quotes the value: that may be an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{field} {reason}")]
pub struct Unrenderable {
    /// What the trouble is in.
    pub field: Field,
    /// What the trouble is.
    pub reason: Reason,
}

/// The value a message could not be made with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Field {
    /// The subject.
    #[error("the subject")]
    Subject,
    /// The HTML part.
    #[error("the HTML part")]
    Html,
    /// The text part.
    #[error("the text part")]
    Text,
    /// The URL of the post's page.
    #[error("the page's URL")]
    WebUrl,
    /// The publication's title, as List-Id shows it.
    #[error("the publication's title")]
    Title,
    /// The list's permanent name.
    #[error("the list id")]
    ListId,
    /// The name in From.
    #[error("the sender's name")]
    SenderName,
    /// The recipient's name.
    #[error("the subscriber's name")]
    SubscriberName,
    /// The recipient's unsubscribe URL.
    #[error("the unsubscribe URL")]
    UnsubscribeUrl,
    /// The Message-ID of the copy.
    #[error("the Message-ID")]
    MessageId,
    /// The Date of the copy.
    #[error("the date")]
    Date,
    /// The finished message.
    #[error("the finished message")]
    Message,
}

/// What is wrong with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    /// Nothing is left after trimming.
    #[error("is empty")]
    Empty,
    /// A line break, NUL or another character that could end a header or a line.
    #[error("holds a control character or a line separator")]
    ControlCharacter,
    /// More bytes than a header takes.
    #[error("is longer than {limit} bytes")]
    TooLong {
        /// The most bytes it may have.
        limit: usize,
    },
    /// A character that its syntax forbids.
    #[error("holds a character that cannot stand there")]
    Character,
    /// Not an absolute http or https URL with a host.
    #[error("is no absolute https:// URL")]
    NotHttp,
    /// One-click unsubscribing needs HTTPS (RFC 8058, 3.1); loopback is let off for trials.
    #[error("must begin with https://, since mail programs use no other for one-click unsubscribing")]
    NotHttps,
    /// A slot's marker stands in the subject, or was cut or changed by a template.
    #[error("holds a slot that was cut in two or stands where none may")]
    Slot,
    /// Outside the four-digit years that RFC 5322 can write.
    #[error("is outside the calendar of mail")]
    OutsideCalendar,
    /// The scanner found what may not leave.
    #[error("is malformed: {0}")]
    Malformed(Flaw),
}

impl Unrenderable {
    pub(super) fn new(field: Field, reason: Reason) -> Self {
        Self { field, reason }
    }
}
