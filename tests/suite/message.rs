//! Messages as readers see them: a strict parser reads what the library assembles.

use std::path::{Path, PathBuf};

use fieldpost::dkim::Signers;
use fieldpost::domain::address::{Address, Mailbox};
use fieldpost::domain::ids::{Generation, PostId, SubscriberId};
use fieldpost::domain::issue::{Issue, Slot, Variants};
use fieldpost::domain::publication::{Publication, SiteUrl};
use fieldpost::domain::time::from_millis;
use fieldpost::message::{Frozen, Message, MessageIdKey, Recipient, assemble, freeze, message_id};

use crate::support::tools::judge;

const NONCE: &str = "c0ffee5eed00ff1e";

/// Text that has broken a mail program somewhere.
const NASTY: [&str; 24] = [
    "plain",
    "=?utf-8?q?hidden?= =?utf-8?b?aGlkZGVu?=",
    "a\r\nBcc: victim@example.org",
    "a\nX-Injected: yes\n\n<b>body</b>",
    "\r\n.\r\nMAIL FROM:<x@y.z>",
    ".\n..\n.dot\n",
    "From me\n>From you\n",
    "--=_boundary\n--\n-- \nsignature",
    "NUL \0, bell \u{7}, delete \u{7f}, next line \u{85}",
    "line \u{2028} and paragraph \u{2029} separators",
    "trailing blanks   \nand tabs\t\t\nend ",
    "old Mac\rlines\r\rand \r\n mixed \n\r ones",
    "= == =3D =\n=20\n100=%",
    "grüße, naïve façade — “quotes” …",
    "漢字かな交じり文を書くと、空白のないとても長い一行になることがあるので、折り返しを確かめる必要がある。",
    "🦀👩‍👩‍👧‍👦🏳️‍🌈 e\u{301} \u{200b}\u{feff} \u{202e}rtl\u{202c} مرحبا שלום",
    "quote \" backslash \\ comma, semicolon; colon: at@ <angle> (round) [square]",
    "&amp; & &lt;script&gt; <script>alert('x')</script>",
    "{{ template }} {% tag %} ${shell} `ticks` $(sub)",
    "verylongwordwithoutanyspaceatall_verylongwordwithoutanyspaceatall_verylongwordwithoutanyspaceatall_verylong",
    "many                                                                                              blanks",
    "slot but no slot: slotunsubscribeurlend",
    "\u{fffd}\u{fffe}\u{10ffff}",
    "\rCR before and inside\r\r.",
];

fn publication(title: &str) -> Publication {
    Publication {
        title: title.to_owned(),
        description: String::new(),
        base_url: SiteUrl::parse("https://notes.example.org").unwrap(),
        language: "en".to_owned(),
        author: None,
        time_zone: chrono_tz::UTC,
        postal_address: None,
        subscribe_url: None,
        from: Mailbox {
            name: Some(title.replace(is_forbidden_in_names, "")),
            address: Address::parse("notes@example.org").unwrap(),
        },
        reply_to: None,
        idempotency_header: None,
        words: fieldpost::domain::words::Words::default(),
        list_id: "notes.example.org".to_owned(),
    }
}

fn issue(subject: &str, text: &str, html: &str) -> Issue {
    let [url, name, address] =
        [Slot::UnsubscribeUrl, Slot::SubscriberName, Slot::SubscriberAddress].map(|slot| slot.marker(NONCE));
    Issue {
        post: PostId::parse("tag:notes.example.org,2026:nasty").unwrap(),
        subject: subject.to_owned(),
        html: format!("<p>Dear {name} ({address}),</p>\n{html}\n<a href=\"{url}\">unsubscribe</a>"),
        text: format!("Dear {name} ({address}),\n{text}\n-- \nunsubscribe: {url}"),
        variants: Variants::default(),
        pictures: Vec::new(),
        nonce: NONCE.to_owned(),
        web_url: "https://notes.example.org/nasty/".to_owned(),
        commit: None,
    }
}

fn copy(frozen: &Frozen, number: usize, name: Option<&str>, domain: &str) -> Message {
    let address = Address::parse(&format!("reader{number:05}x@{domain}")).unwrap();
    let url = format!("https://notes.example.org/u/token{number:05}x?a=1&b=2");
    let subscriber = SubscriberId(i64::try_from(number).unwrap());
    let id = message_id(&MessageIdKey::new(&[1; 32]), frozen, &frozen.id(), subscriber, Generation::FIRST);
    let recipient = Recipient { address: &address, name, unsubscribe_url: &url, values: &[] };
    assemble(frozen, &Signers::none(), &recipient, &id, from_millis(1_790_000_000_000)).unwrap()
}

fn is_forbidden_in_names(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')
}

/// What freezing promises to make of a header's text.
fn as_line(text: &str) -> String {
    text.replace(is_forbidden_in_names, " ").split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What freezing promises to make of a part.
fn as_lines(text: &str) -> String {
    let mut lines = text.replace("\r\n", "\n").replace('\r', "\n");
    lines.retain(|c| !c.is_control() || c == '\n' || c == '\t');
    lines + "\n"
}

fn escaped(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    text.replace('"', "&quot;").replace('\'', "&#39;")
}

/// The strict parser.
const CHECK_MAIL: &str = "tests/support/check_mail.py";

fn write(folder: &Path, number: usize, message: &Message) -> PathBuf {
    let path = folder.join(format!("{number:05}.eml"));
    std::fs::write(&path, message.to_vec()).unwrap();
    path
}

#[test]
fn a_strict_parser_reads_back_every_nasty_value_without_a_defect() {
    let folder = tempfile::tempdir().unwrap();
    let mut expected = Vec::new();
    for (number, nasty) in NASTY.into_iter().enumerate() {
        let issue = issue(nasty, nasty, &format!("<pre>{nasty}</pre>"));
        let frozen = freeze(&issue, &publication(nasty)).unwrap();
        let name = nasty.replace(is_forbidden_in_names, " ");
        let message = copy(&frozen, number, Some(&name), "bücher.example");
        assert!(!message.to_vec().windows(3).any(|bytes| bytes == b"\r\n."), "nothing is left to be dot-stuffed");
        write(folder.path(), number, &message);
        expected.push((nasty, name.trim().to_owned(), message.message_id));
    }
    let Some(told) = judge(CHECK_MAIL, &[folder.path()]) else { return };
    assert!(told.contains(&format!("{0} messages, {0} Message-IDs, {0} unsubscribe URLs, 0 defects", NASTY.len())));

    let seen = judge(CHECK_MAIL, &[Path::new("--json"), folder.path()]).unwrap();
    for (number, (line, (nasty, name, id))) in seen.lines().zip(&expected).enumerate() {
        let seen: serde_json::Value = serde_json::from_str(line).unwrap();
        let address = format!("reader{number:05}x@xn--bcher-kva.example");
        let url = format!("https://notes.example.org/u/token{number:05}x?a=1&b=2");
        assert_eq!(seen["subject"], as_line(nasty));
        assert_eq!(seen["to"], serde_json::json!([[name, address]]));
        assert_eq!(seen["list_id"], format!("{} <notes.example.org>", as_list_phrase(nasty)));
        assert_eq!(seen["list_unsubscribe"], format!("<{url}>"));
        assert_eq!(seen["message_id"], format!("<{id}>"));
        assert_eq!(seen["date"], "Mon, 21 Sep 2026 14:13:20 +0000");
        let text = format!("Dear {name} ({address}),\n{}-- \nunsubscribe: {url}\n", as_lines(nasty));
        assert_eq!(seen["text"], text, "{nasty:?}");
        let html = as_lines(&format!("<pre>{nasty}</pre>"));
        let (url, name) = (escaped(&url), escaped(name));
        let html = format!("<p>Dear {name} ({address}),</p>\n{html}<a href=\"{url}\">unsubscribe</a>\n");
        assert_eq!(seen["html"], html, "{nasty:?}");
    }
    assert_eq!(seen.lines().count(), NASTY.len());
}

/// Python shows List-Id as unstructured text, so a quoted title keeps its quotes.
fn as_list_phrase(title: &str) -> String {
    let title = as_line(title);
    let quoted = format!("\"{}\"", title.replace('\\', "\\\\").replace('"', "\\\""));
    let is_atoms = title.chars().all(|c| c == ' ' || c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c));
    let is_encoded = !title.is_ascii() || title.contains("=?") || quoted.len() > 60;
    if is_atoms || is_encoded { title } else { quoted }
}

/// Every `prefixNNNNNx` of a message.
fn marks<'a>(message: &'a str, prefix: &str) -> Vec<&'a str> {
    message.match_indices(prefix).map(|(at, _)| &message[at + prefix.len()..at + prefix.len() + 6]).collect()
}

#[test]
fn each_of_10_000_copies_bears_its_own_marks_and_nobody_elses() {
    let frozen = freeze(&issue("For everybody", "text", "<p>html</p>"), &publication("Notes")).unwrap();
    let mut ids = std::collections::HashSet::new();
    for number in 0..10_000 {
        let name = format!("Person{number:05}x");
        let message = copy(&frozen, number, Some(&name), "example.net");
        let text = String::from_utf8(message.to_vec()).unwrap();
        let own = format!("{number:05}x");
        assert_eq!(marks(&text, "token"), [own.as_str(); 3]);
        assert_eq!(marks(&text, "Person"), [own.as_str(); 3]);
        assert_eq!(marks(&text, "reader"), [own.as_str(); 3]);
        assert!(ids.insert(message.message_id));
    }
}

/// An issue as rendering makes them, with words where the slots go.
fn realistic_issue() -> Issue {
    let slots = |text: &str| {
        text.replace("SLOTNAME", &Slot::SubscriberName.marker(NONCE))
            .replace("SLOTADDRESS", &Slot::SubscriberAddress.marker(NONCE))
            .replace("SLOTURL", &Slot::UnsubscribeUrl.marker(NONCE))
    };
    let html = slots(include_str!("message/issue.html"));
    let text = slots(include_str!("message/issue.txt"));
    Issue { html, text, ..issue("Why the loss went up on a Tuesday – and two lines", "", "") }
}

#[test]
fn spamassassin_has_nothing_against_a_realistic_issue() {
    let folder = tempfile::tempdir().unwrap();
    let frozen = freeze(&realistic_issue(), &publication("Field Notes on Training")).unwrap();
    let message = copy(&frozen, 1, Some("Zoë O'Brien"), "example.net");
    let path = write(folder.path(), 1, &message);
    judge(CHECK_MAIL, &[&path]);
    judge("scripts/score-mail", &[&path]);
}
