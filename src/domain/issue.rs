//! One post, frozen for mailing.

use super::hex::hex;
use super::ids::PostId;

/// A place in an issue's HTML or text that differs from recipient to recipient.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Slot {
    /// The recipient's own unsubscribe URL.
    UnsubscribeUrl,
    /// The recipient's name, or the template's default.
    SubscriberName,
    /// The recipient's address.
    SubscriberAddress,
    /// The URL where the recipient chooses topics and cadence.
    PreferencesUrl,
    /// What the list says of the recipient under this name, or the template's default.
    Attribute(String),
}

/// The slots that are not named by the list.
const FIXED: [Slot; 4] = [Slot::UnsubscribeUrl, Slot::SubscriberName, Slot::SubscriberAddress, Slot::PreferencesUrl];

impl Slot {
    /// The text that stands for the slot in rendered output. `nonce` is derived from the
    /// issue's own content, so no post can contain the marker by accident or on purpose.
    /// It is made of letters and digits alone: it passes HTML escaping, CSS inlining and
    /// URL serialisation unchanged.
    pub fn marker(&self, nonce: &str) -> String {
        self.marker_or(nonce, "")
    }

    /// As [`marker`](Self::marker), with the text for recipients who have no value.
    pub fn marker_or(&self, nonce: &str, default: &str) -> String {
        let name = match self {
            Self::Attribute(name) => format!("{}x", hex(name.as_bytes())),
            Self::UnsubscribeUrl | Self::SubscriberName | Self::SubscriberAddress | Self::PreferencesUrl => {
                String::new()
            }
        };
        let default = if default.is_empty() { String::new() } else { format!("or{}x", hex(default.as_bytes())) };
        format!("slot{nonce}{}{name}{default}end", self.word())
    }

    fn word(&self) -> &'static str {
        match self {
            Self::UnsubscribeUrl => "unsubscribeurl",
            Self::SubscriberName => "subscribername",
            Self::SubscriberAddress => "subscriberaddress",
            Self::PreferencesUrl => "preferencesurl",
            Self::Attribute(_) => "attribute",
        }
    }
}

/// A slot's marker, found in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Marker<'a> {
    /// What stands before it.
    pub before: &'a str,
    /// What it stands for.
    pub slot: Slot,
    /// What a recipient without a value reads; may be empty.
    pub default: String,
    /// What stands behind it.
    pub after: &'a str,
}

impl<'a> Marker<'a> {
    /// The first whole marker of a text. What was cut or changed is passed over: the nonce is
    /// left to be found.
    pub fn first(text: &'a str, nonce: &str) -> Option<Self> {
        let begin = format!("slot{nonce}");
        text.match_indices(&begin).find_map(|(at, _)| {
            let (slot, default, after) = read(&text[at + begin.len()..])?;
            Some(Self { before: &text[..at], slot, default, after })
        })
    }

    /// The slots and defaults of all markers of a text, in their order.
    pub fn all(text: &str, nonce: &str) -> Vec<(Slot, String)> {
        let mut found = Vec::new();
        let mut rest = text;
        while let Some(marker) = Marker::first(rest, nonce) {
            found.push((marker.slot, marker.default));
            rest = marker.after;
        }
        found
    }
}

fn read(text: &str) -> Option<(Slot, String, &str)> {
    let fixed = FIXED.into_iter().find_map(|slot| text.strip_prefix(slot.word()).map(|rest| (slot, rest)));
    let (slot, rest) = if let Some(found) = fixed {
        found
    } else {
        let (name, rest) = unhex(text.strip_prefix("attribute")?)?;
        (Slot::Attribute(name), rest)
    };
    let (default, rest) = match rest.strip_prefix("or") {
        Some(rest) => unhex(rest)?,
        None => (String::new(), rest),
    };
    Some((slot, default, rest.strip_prefix("end")?))
}

/// The text of the hex digits before the first `x`, and what follows it.
fn unhex(text: &str) -> Option<(String, &str)> {
    let (digits, rest) = text.split_once('x')?;
    if !digits.bytes().all(|b| b.is_ascii_hexdigit()) || digits.len() % 2 == 1 {
        return None;
    }
    let bytes = (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).ok());
    Some((String::from_utf8(bytes.collect::<Option<_>>()?).ok()?, rest))
}

/// An issue as rendering leaves it: one subject, one HTML, one text, for everybody; and, where
/// a template asks whether a subscriber has something, another HTML and text for those who
/// have it not.
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
    /// What those get who lack what a template asks about.
    pub variants: Variants,
    /// The pictures that travel in the mail itself, in the order of their first use.
    pub pictures: Vec<Embedded>,
    /// The nonce of the slot markers: lower-case hex.
    pub nonce: String,
    /// The absolute URL of the post's page.
    pub web_url: String,
    /// The git commit the post had.
    pub commit: Option<String>,
}

impl Issue {
    /// The bytes of the HTML of who gets the most.
    pub fn largest_html(&self) -> usize {
        self.variants.parts.iter().map(|parts| parts.html.len()).fold(self.html.len(), usize::max)
    }
}

/// A picture that travels in the mail itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Embedded {
    /// What `cid:` in the HTML names it by, made of its content and of a domain of ours (RFC 2392).
    pub content_id: String,
    /// Where it lies on the site: `pictures/0123456789abcdef.png`.
    pub site_path: String,
    /// What it is, such as `image/png`.
    pub media_type: &'static str,
    /// The whole file.
    pub bytes: Vec<u8>,
}

/// The renderings for those who lack something. `Default` is none: no template asks.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Variants {
    /// What the templates ask about, at most [`Variants::MOST_ASKED`].
    pub asked: Vec<Slot>,
    /// One for each set of asked slots that a recipient may lack, but for the empty set: the
    /// first slot is worth 1, the second 2, the third 4, and the sum less one is the index.
    pub parts: Vec<Parts>,
}

impl Variants {
    /// Each slot more doubles the renderings.
    pub const MOST_ASKED: usize = 4;
}

/// One more HTML and text of an issue, made as its own are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parts {
    /// The HTML part.
    pub html: String,
    /// The text part.
    pub text: String,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NONCE: &str = "9f86d081884c7d65";

    proptest! {
        #[test]
        fn a_marker_is_letters_and_digits_and_is_read_back_wherever_it_stands(
            before in "\\PC{0,20}", name in "\\PC{1,12}", default in "\\PC{0,12}", after in "[a-z0-9]{0,20}",
        ) {
            for slot in [Slot::SubscriberName, Slot::UnsubscribeUrl, Slot::PreferencesUrl, Slot::Attribute(name.clone())] {
                let marker = slot.marker_or(NONCE, &default);
                prop_assert!(marker.bytes().all(|b| b.is_ascii_alphanumeric()));
                let text = format!("{before}{marker}{after}");
                let found = Marker::first(&text, NONCE).unwrap();
                prop_assert_eq!(found, Marker { before: &before, slot, default: default.clone(), after: &after });
            }
        }

        #[test]
        fn a_marker_that_was_cut_is_none(cut in 1_usize..30) {
            let marker = Slot::Attribute("City".to_owned()).marker_or(NONCE, "Vienna");
            prop_assert_eq!(Marker::first(&marker[..marker.len() - cut], NONCE), None);
            prop_assert_eq!(Marker::all(&marker.to_uppercase(), NONCE), []);
        }
    }
}
