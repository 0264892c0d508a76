//! One post, frozen for mailing.

use super::ids::PostId;

/// A place in an issue's HTML or text that differs from recipient to recipient.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Slot {
    /// The recipient's own unsubscribe URL.
    UnsubscribeUrl,
    /// The recipient's name, or the template's default.
    SubscriberName,
    /// The recipient's address.
    SubscriberAddress,
}

impl Slot {
    /// Every slot there is.
    pub const ALL: [Self; 3] = [Self::UnsubscribeUrl, Self::SubscriberName, Self::SubscriberAddress];

    /// The text that stands for the slot in rendered output. `nonce` is derived from the
    /// issue's own content, so no post can contain the marker by accident or on purpose.
    /// It is made of letters and digits alone: it passes HTML escaping, CSS inlining and
    /// URL serialisation unchanged.
    pub fn marker(self, nonce: &str) -> String {
        let word = match self {
            Self::UnsubscribeUrl => "unsubscribeurl",
            Self::SubscriberName => "subscribername",
            Self::SubscriberAddress => "subscriberaddress",
        };
        format!("slot{nonce}{word}end")
    }
}

/// An issue as rendering leaves it: one subject, one HTML, one text, for everybody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issue {
    /// The post it was made of.
    pub post: PostId,
    /// The subject line, plain text without control characters.
    pub subject: String,
    /// The HTML part, CSS inlined, all URLs absolute, slots as markers.
    pub html: String,
    /// The text part, lines ended by `\n`, slots as markers.
    pub text: String,
    /// The nonce of the slot markers: lower-case hex.
    pub nonce: String,
    /// The absolute URL of the post's page.
    pub web_url: String,
    /// The git commit the post had.
    pub commit: Option<String>,
}
