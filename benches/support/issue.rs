//! A publication and issues of a given size, for the benchmarks of messages.

use std::sync::LazyLock;

use fieldpost::dkim::Signers;
use fieldpost::domain::address::{Address, Mailbox};
use fieldpost::domain::ids::{Generation, IssueId, PostId, SubscriberId};
use fieldpost::domain::issue::{Issue, Slot, Variants};
use fieldpost::domain::publication::{Publication, SiteUrl};
use fieldpost::domain::time::from_millis;
use fieldpost::message::{Frozen, MessageIdKey, Recipient, assemble, freeze, message_id};

const NONCE: &str = "9f86d081884c7d65";
const SENTENCE: &str = "What a gradient is good for, and why it is no arrow — grüße. ";

static KEY: LazyLock<MessageIdKey> = LazyLock::new(|| MessageIdKey::new(&[7; 32]));

/// Assembles one copy as the sender does, signs it, and returns its length.
pub fn copy(
    frozen: &Frozen,
    id: &IssueId,
    signers: &Signers,
    recipients: &[(Address, String)],
    number: usize,
) -> usize {
    let (address, name) = &recipients[number % recipients.len()];
    let subscriber = SubscriberId(i64::try_from(number).expect("a round is short"));
    let message_id = message_id(&KEY, frozen, id, subscriber, Generation::FIRST);
    let unsubscribe_url = format!("https://notes.example.org/u/{number:043}");
    let recipient = Recipient { address, name: Some(name), unsubscribe_url: &unsubscribe_url, values: &[] };
    let message = assemble(frozen, signers, &recipient, &message_id, from_millis(1_790_000_000_000));
    message.expect("the recipient is sound").content.pieces().len()
}

/// A thousand people.
pub fn recipients() -> Vec<(Address, String)> {
    let recipient = |number| {
        let address = Address::parse(&format!("reader{number}@example.org")).expect("an address");
        (address, format!("Reader {number}, “the” Réader"))
    };
    (0..1000).map(recipient).collect()
}

fn publication() -> Publication {
    Publication {
        title: "ML Field Notes".to_owned(),
        description: String::new(),
        base_url: SiteUrl::parse("https://notes.example.org").expect("a URL"),
        language: "en".to_owned(),
        author: None,
        time_zone: chrono_tz::UTC,
        postal_address: None,
        subscribe_url: None,
        from: Mailbox::parse("ML Field Notes <notes@example.org>").expect("a mailbox"),
        reply_to: None,
        idempotency_header: None,
        words: fieldpost::domain::words::Words::default(),
        list_id: "notes.example.org".to_owned(),
    }
}

/// The shortest template whose first copy has `size` bytes, unsigned.
pub fn template(size: usize) -> Frozen {
    let mut templates = (1..).map(|sentences| freeze(&issue(sentences), &publication()).expect("the issue is sound"));
    let is_long = |frozen: &Frozen| copy(frozen, &frozen.id(), &Signers::none(), &recipients()[..1], 0) >= size;
    templates.find(is_long).expect("one more sentence is always possible")
}

/// An issue of a greeting, some sentences in HTML and as text, and the links everybody needs.
fn issue(sentences: usize) -> Issue {
    let [url, name, address] =
        [Slot::UnsubscribeUrl, Slot::SubscriberName, Slot::SubscriberAddress].map(|slot| slot.marker(NONCE));
    let paragraph = format!("<p style=\"margin:0 0 1em\">{SENTENCE}</p>\n");
    Issue {
        post: PostId::parse("tag:notes.example.org,2026:first").expect("an id"),
        subject: "Gradients — and what they are good for".to_owned(),
        html: format!("<p>Hello {name},</p>\n{}<a href=\"{url}\">Leave</a> {address}\n", paragraph.repeat(sentences)),
        text: format!("Hello {name},\n\n{}\nLeave: {url}\n{address}\n", SENTENCE.repeat(sentences)),
        pictures: Vec::new(),
        variants: Variants::default(),
        nonce: NONCE.to_owned(),
        web_url: "https://notes.example.org/first/".to_owned(),
        commit: None,
    }
}
