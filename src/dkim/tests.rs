//! Signatures as receivers see them: what passes, what fails, what never changes.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;

use super::verify::{Verdict, tag, verify};
use super::*;

/// RFC 8463, appendix A.2, in PKCS#8.
const ED25519_PEM: &str = include_str!("samples/rfc8463.pem");
/// RFC 8463, appendix A.2: the RSA key of the record `test._domainkey.football.example.com`.
const RFC_RSA: &str = "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoBTzWRiGs5V6NpP3idY6Wk08a5qhdR6wy5bdOKb2jLQiY/J16JYi0Qvx/byYzCNb3W91y3FutACDfzwQ/BC/e/8uBsCR+yz1Lxj+PL6lHvqMKrM3rG4hstT5QjvHO9PzoxZyVYLzBfO2EeC3Ip3G+2kryOTIKT+l/K4w3QIDAQAB";

const MESSAGE: &str = "Date: Mon, 21 Sep 2026 14:13:20 +0000\r
From: Notes <notes@example.org>\r
To: ada@example.net\r
Subject: On gradients\r
Message-ID: <a@example.org>\r
List-Id: Notes <notes.example.org>\r
List-Unsubscribe: <https://notes.example.org/u/token>\r
List-Unsubscribe-Post: List-Unsubscribe=One-Click\r
Archived-At: <https://notes.example.org/first/>\r
MIME-Version: 1.0\r
Content-Type: multipart/alternative;\r
 boundary=\"=_6508\"\r
X-Other: unsigned\r
\r
--=_6508\r
\r
  Hello,  Ada\r
\r
--=_6508--\r
\r
";

fn signers() -> Signers {
    let rsa = SigningKey::from_pem(include_str!("samples/pkcs8-2048.pem")).unwrap();
    let ed25519 = SigningKey::from_pem(ED25519_PEM).unwrap();
    Signers::new([
        Signer::new(rsa, "example.org", "rsa-2026").unwrap(),
        Signer::new(ed25519, "example.org", "ed-2026").unwrap(),
    ])
}

fn signed() -> (String, Vec<Vec<u8>>) {
    let signers = signers();
    let public_key = |signer: &Signer| {
        let text = signer.record().text;
        STANDARD.decode(text.rsplit_once("p=").unwrap().1).unwrap()
    };
    (signers.sign(MESSAGE, [], 1_790_000_000) + MESSAGE, signers.iter().map(public_key).collect())
}

fn verdicts(message: &str, keys: &[Vec<u8>]) -> [Verdict; 2] {
    [verify(message, 0, &keys[0]), verify(message, 1, &keys[1])]
}

#[test]
fn the_signatures_of_rfc_8463_verify_and_its_body_hash_is_ours() {
    let message = include_str!("samples/rfc8463.eml").replace('\n', "\r\n");
    let ed25519 = SigningKey::from_pem(ED25519_PEM).unwrap().public_key();
    let rsa = STANDARD.decode(RFC_RSA).unwrap();
    assert_eq!(verify(&message, 0, &ed25519), Verdict::Pass);
    assert_eq!(verify(&message, 1, &rsa), Verdict::Pass);
    assert_eq!(verify(&message.replace("hungry", "Hungry"), 0, &ed25519), Verdict::BodyDiffers);
    assert_eq!(verify(&message.replace("Suzie", "suzie"), 1, &rsa), Verdict::SignatureDiffers);
}

#[test]
fn the_ed25519_signature_of_rfc_8463_is_made_again_bit_by_bit() {
    let message = include_str!("samples/rfc8463.eml").replace('\n', "\r\n");
    let (fields, _) = canonical::split(&message);
    let mut input = String::new();
    for field in &fields[2..] {
        canonical::header(field, &mut input);
        input.push_str("\r\n");
    }
    canonical::header(&fields[0][..fields[0].rfind(" b=").unwrap() + 3], &mut input);
    let signature = SigningKey::from_pem(ED25519_PEM).unwrap().sign(&digest(&SHA256, input.as_bytes()));
    assert_eq!(STANDARD.encode(signature), tag(fields[0], "b"));
}

#[test]
fn both_signatures_stand_on_top_in_order_and_verify() {
    let (message, keys) = signed();
    assert_eq!(verdicts(&message, &keys), [Verdict::Pass, Verdict::Pass]);
    let (fields, _) = canonical::split(&message);
    for (field, (algorithm, selector)) in fields.iter().zip([("rsa-sha256", "rsa-2026"), ("ed25519-sha256", "ed-2026")])
    {
        assert_eq!((tag(field, "a").as_str(), tag(field, "s").as_str()), (algorithm, selector));
        assert_eq!((tag(field, "d").as_str(), tag(field, "t").as_str()), ("example.org", "1790000000"));
        assert_eq!(tag(field, "c"), "relaxed/relaxed");
        assert!(!field.contains("x=") && !field.contains("l="), "{field}");
        assert!(field.split("\r\n").all(|line| line.len() <= 76), "{field}");
    }
}

#[test]
fn every_field_of_the_message_that_says_who_it_is_is_signed_once_more_than_it_occurs() {
    let (message, _) = signed();
    let names = tag(canonical::split(&message).0[0], "h");
    assert_eq!(
        names,
        "from:from:reply-to:to:to:cc:subject:subject:date:date:message-id:message-id:mime-version:mime-version:\
         content-type:content-type:list-id:list-id:list-unsubscribe:list-unsubscribe:list-unsubscribe-post:\
         list-unsubscribe-post:archived-at:archived-at"
    );
}

#[test]
fn no_second_field_can_be_added_and_no_other_can_be_missed() {
    let (message, keys) = signed();
    for field in canonical::split(MESSAGE).0.iter().filter(|field| !field.starts_with("X-")) {
        for added in [format!("{field}{message}"), message.replace(*field, &format!("{field}{field}"))] {
            assert_eq!(verdicts(&added, &keys), [Verdict::SignatureDiffers, Verdict::SignatureDiffers], "{field}");
        }
        let removed = message.replacen(*field, "", 1);
        assert_eq!(verdicts(&removed, &keys), [Verdict::SignatureDiffers, Verdict::SignatureDiffers], "{field}");
    }
    for added in ["Reply-To: m@example.com\r\n", "Cc: m@example.com\r\n"] {
        assert_eq!(verify(&format!("{added}{message}"), 1, &keys[1]), Verdict::SignatureDiffers);
    }
}

#[test]
fn what_relays_do_on_the_way_breaks_nothing() {
    let (message, keys) = signed();
    let relayed = format!(
        "Received: from a by b; Mon, 21 Sep 2026 14:13:21 +0000\r\nFeedback-ID: 1:2:3\r\nX-Spam: no\r\n{}",
        message.replace("Subject: On", "Subject:\r\n  On").replace("X-Other: un", "X-Other: ")
    );
    assert_eq!(verdicts(&relayed, &keys), [Verdict::Pass, Verdict::Pass]);
}

#[test]
fn the_same_message_gets_the_same_signatures_and_another_moment_gives_others() {
    let (first, again) = (signers().sign(MESSAGE, [], 1_790_000_000), signers().sign(MESSAGE, [], 1_790_000_000));
    assert_eq!(first, again);
    assert_ne!(signers().sign(MESSAGE, [], 1_790_000_001), first);
    assert_eq!(Signers::none().sign(MESSAGE, [], 1_790_000_000), "");
}

#[test]
fn a_long_domain_and_selector_are_folded_and_not_cut() {
    let label = "a".repeat(60);
    let (domain, selector) = (format!("{label}.{label}.{label}.example.org"), format!("{label}.{label}"));
    let key = SigningKey::from_pem(ED25519_PEM).unwrap();
    let public_key = key.public_key();
    let signers = Signers::new([Signer::new(key, &domain, &selector).unwrap()]);
    let message = signers.sign(MESSAGE, [], 0) + MESSAGE;
    assert_eq!(verify(&message, 0, &public_key), Verdict::Pass);
    assert_eq!(tag(canonical::split(&message).0[0], "d"), domain);
}

proptest! {
    /// Whatever byte of what is signed becomes another letter, both signatures notice.
    #[test]
    fn one_changed_letter_breaks_both_signatures(at in 0usize..MESSAGE.len()) {
        let (message, keys) = signed();
        let at = message.len() - MESSAGE.len() + at;
        let unsigned = message.find("X-Other").unwrap()..message.find("--=_6508\r\n").unwrap();
        prop_assume!(message.as_bytes()[at].is_ascii_alphanumeric() && !unsigned.contains(&at));
        // Names are compared without regard to case.
        let other = if message.as_bytes()[at] == b'7' { "8" } else { "7" };
        let changed = format!("{}{other}{}", &message[..at], &message[at + 1..]);
        for verdict in verdicts(&changed, &keys) {
            prop_assert_ne!(verdict, Verdict::Pass);
        }
    }
}
