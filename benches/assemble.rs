//! How many messages one core assembles in a second: everything a copy needs before it may
//! go out, which is filling the gaps, scanning the result, and its SHA-256.
//!
//! `cargo bench --bench assemble`. Figures, no verdict.
#![expect(clippy::print_stdout, reason = "the figures are what a benchmark is for")]

mod support;

use std::hint::black_box;

use fieldpost::dkim::Signers;
use fieldpost::domain::address::{Address, Mailbox};
use fieldpost::domain::ids::{Generation, IssueId, PostId, SubscriberId};
use fieldpost::domain::issue::{Issue, Slot};
use fieldpost::domain::publication::{Publication, SiteUrl};
use fieldpost::domain::time::from_millis;
use fieldpost::message::{Frozen, Recipient, assemble, freeze, message_id};
use support::{ROUNDS, Rates, line};

const NONCE: &str = "9f86d081884c7d65";
/// Bytes assembled in one round, so that a round takes about as long for every size.
const BYTES_A_ROUND: usize = 64 << 20;
const SENTENCE: &str = "What a gradient is good for, and why it is no arrow — grüße. ";

fn main() {
    for size in [4 << 10, 50 << 10] {
        let frozen = template(size);
        let (id, recipients) = (frozen.id(), recipients());
        let copies = BYTES_A_ROUND / size;
        let mut rates = Rates::default();
        for _ in 0..ROUNDS {
            rates.measure(|| {
                (0..copies).for_each(|number| {
                    black_box(copy(&frozen, &id, &recipients, number));
                });
                copies
            });
        }
        println!("{}", line(&format!("assemble, {} KiB", size >> 10), "messages/s", &rates));
    }
}

/// Assembles one copy as the sender does and returns its length.
fn copy(frozen: &Frozen, id: &IssueId, recipients: &[(Address, String)], number: usize) -> usize {
    let (address, name) = &recipients[number % recipients.len()];
    let subscriber = SubscriberId(i64::try_from(number).expect("a round is short"));
    let message_id = message_id(&[7; 32], frozen, id, subscriber, Generation::FIRST);
    let unsubscribe_url = format!("https://notes.example.org/u/{number:043}");
    let recipient = Recipient { address, name: Some(name), unsubscribe_url: &unsubscribe_url };
    let message = assemble(frozen, &Signers::none(), &recipient, &message_id, from_millis(1_790_000_000_000));
    message.expect("the recipient is sound").bytes.len()
}

fn recipients() -> Vec<(Address, String)> {
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
        from: Mailbox::parse("ML Field Notes <notes@example.org>").expect("a mailbox"),
        reply_to: None,
        list_id: "notes.example.org".to_owned(),
    }
}

/// The shortest template whose first copy has `size` bytes.
fn template(size: usize) -> Frozen {
    let mut templates = (1..).map(|sentences| freeze(&issue(sentences), &publication()).expect("the issue is sound"));
    let is_long = |frozen: &Frozen| copy(frozen, &frozen.id(), &recipients()[..1], 0) >= size;
    templates.find(is_long).expect("one more sentence is always possible")
}

/// An issue of a greeting, some sentences in HTML and as text, and the links everybody needs.
fn issue(sentences: usize) -> Issue {
    let [url, name, address] = Slot::ALL.map(|slot| slot.marker(NONCE));
    let paragraph = format!("<p style=\"margin:0 0 1em\">{SENTENCE}</p>\n");
    Issue {
        post: PostId::parse("tag:notes.example.org,2026:first").expect("an id"),
        subject: "Gradients — and what they are good for".to_owned(),
        html: format!("<p>Hello {name},</p>\n{}<a href=\"{url}\">Leave</a> {address}\n", paragraph.repeat(sentences)),
        text: format!("Hello {name},\n\n{}\nLeave: {url}\n{address}\n", SENTENCE.repeat(sentences)),
        nonce: NONCE.to_owned(),
        web_url: "https://notes.example.org/first/".to_owned(),
        commit: None,
    }
}
