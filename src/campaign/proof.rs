//! Proofs: what readers would get, for the author's eyes alone. Nothing is recorded or sent.

use super::open;
use super::prepare::Prepared;
use crate::diagnostic::{Diagnostic, Place};
use crate::dkim::Signers;
use crate::domain::address::Address;
use crate::domain::entry::Entry;
use crate::domain::ids::MessageId;
use crate::domain::issue::{Embedded, Issue, Marker, Slot};
use crate::domain::post::Post;
use crate::domain::publication::SiteUrl;
use crate::domain::time::Instant;
use crate::message::{self, Recipient};
use crate::render;

/// The reader of every proof.
const READER: &str = "Ada Lovelace";
const ADDRESS: &str = "ada@example.org";

/// One post as a mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// The subject line.
    pub subject: String,
    /// The header section, unsigned, lines ended by `\n`.
    pub headers: String,
    /// The HTML part, as the mail client gets it.
    pub html: String,
    /// The text part.
    pub text: String,
    /// How many bytes the whole message has.
    pub size: usize,
    /// What its author should know of it.
    pub warnings: Vec<Diagnostic>,
}

/// The mail of a post to a reader who does not exist; the links in it that are a reader's own
/// lead nowhere. Drafts have proofs too.
pub fn proof(prepared: &Prepared, post: &Post, now: Instant) -> Result<Proof, Diagnostic> {
    let publication = &prepared.config.publication;
    let (issue, warnings) = open::issue(prepared, post)?;
    let unmade = |reason: String| {
        Diagnostic::error("unrenderable", Place::file(&post.source), format!("the mail cannot be made: {reason}"))
    };
    let frozen = message::freeze(&issue, publication).map_err(|error| unmade(error.to_string()))?;
    let address = Address::parse(ADDRESS).expect("the address is a constant");
    let message_id = MessageId::parse("proof@example.org").expect("the id is a constant");
    let [unsubscribe_url, preferences_url] =
        ["unsubscribe/proof", "preferences/proof"].map(|path| publication.base_url.join(path));
    let values = [(Slot::PreferencesUrl, preferences_url)];
    let recipient =
        Recipient { address: &address, name: Some(READER), unsubscribe_url: &unsubscribe_url, values: &values };
    let message = message::assemble(&frozen, &Signers::none(), &recipient, &message_id, now)
        .map_err(|error| unmade(error.to_string()))?;
    let bytes = message.to_vec();
    let text = String::from_utf8_lossy(&bytes);
    let headers = text.split("\r\n\r\n").next().unwrap_or_default().replace("\r\n", "\n");
    let filled = |text: &str| filled(text, &issue, &recipient);
    let (html, plain) = (with_pictures(filled(&issue.html), &issue, &publication.base_url), filled(&issue.text));
    Ok(Proof { subject: issue.subject, headers, html, text: plain, size: bytes.len(), warnings })
}

/// The post as feeds carry it. The error is a file that was changed meanwhile.
pub fn entry(prepared: &Prepared, post: &Post) -> Result<Entry, Box<Diagnostic>> {
    let article = prepared.texts.read(post)?;
    Ok(render::entry(&article, &prepared.config.publication, &prepared.pictures))
}

/// HTML whose pictures a browser finds: on the site, where each of them lies too.
fn with_pictures(html: String, issue: &Issue, base: &SiteUrl) -> String {
    let shown = |html: String, picture: &Embedded| {
        html.replace(&format!("cid:{}", picture.content_id), &base.join(&picture.site_path))
    };
    issue.pictures.iter().fold(html, shown)
}

/// A part with the reader's values in their places, as [`message::assemble`] writes them.
fn filled(text: &str, issue: &Issue, recipient: &Recipient) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(Marker { before, slot, default, after }) = Marker::first(rest, &issue.nonce) {
        out.push_str(before);
        match recipient.value(&slot) {
            "" => out.push_str(&default),
            value => out.push_str(value),
        }
        rest = after;
    }
    out.push_str(rest);
    out
}
