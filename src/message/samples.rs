//! A small publication and issue for this module's tests.

use crate::dkim::{Signer, Signers, SigningKey};
use crate::domain::address::{Address, Mailbox};
use crate::domain::ids::PostId;
use crate::domain::issue::{Issue, Slot, Variants};
use crate::domain::publication::{Publication, SiteUrl};

/// What rendering would derive from the content.
pub(crate) const NONCE: &str = "9f86d081884c7d65";

/// Two keys of the sender's domain, RSA before Ed25519.
pub(crate) fn signers() -> Signers {
    let keys = [
        (include_str!("../dkim/samples/pkcs8-2048.pem"), "rsa-2026"),
        (include_str!("../dkim/samples/rfc8463.pem"), "ed-2026"),
    ];
    Signers::new(
        keys.map(|(pem, selector)| Signer::new(SigningKey::from_pem(pem).unwrap(), "example.org", selector).unwrap()),
    )
}

pub(crate) fn publication() -> Publication {
    Publication {
        title: "ML Field Notes".to_owned(),
        description: String::new(),
        base_url: SiteUrl::parse("https://notes.example.org").unwrap(),
        language: "en".to_owned(),
        author: None,
        time_zone: chrono_tz::UTC,
        postal_address: None,
        subscribe_url: None,
        from: Mailbox::parse("ML Field Notes <notes@example.org>").unwrap(),
        reply_to: Some(Address::parse("editor@example.org").unwrap()),
        idempotency_header: None,
        words: crate::domain::words::Words::default(),
        list_id: "notes.example.org".to_owned(),
    }
}

pub(crate) fn issue() -> Issue {
    let [url, name, address] =
        [Slot::UnsubscribeUrl, Slot::SubscriberName, Slot::SubscriberAddress].map(|slot| slot.marker(NONCE));
    Issue {
        post: PostId::parse("tag:notes.example.org,2026:first").unwrap(),
        subject: "Gradients — and what they are good for".to_owned(),
        html: format!("<p>Hello {name},</p>\n<p>grüße.</p>\n<p><a href=\"{url}\">Unsubscribe</a> {address}</p>\n"),
        text: format!("Hello {name},\n\ngrüße.\n.\nFrom here on.\n\nUnsubscribe: {url}\n{address}\n"),
        variants: Variants::default(),
        pictures: Vec::new(),
        nonce: NONCE.to_owned(),
        web_url: "https://notes.example.org/first/".to_owned(),
        commit: None,
    }
}
