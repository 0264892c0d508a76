//! A small verifier for this module's tests (RFC 6376, 6.1.3), written from the standard and
//! not from the signer: what it shares with it is the relaxed form alone.

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::signature::{ED25519, RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::canonical;

/// What one signature came to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Pass,
    BodyDiffers,
    SignatureDiffers,
}

/// Verifies the signature with that number, from the top, by the public key in DNS form.
pub(super) fn verify(message: &str, number: usize, public_key: &[u8]) -> Verdict {
    let (fields, body) = canonical::split(message);
    let is_signature = |field: &&&str| canonical::name(field).eq_ignore_ascii_case("dkim-signature");
    let signature = fields.iter().filter(is_signature).nth(number).expect("so many signatures");
    if tag(signature, "bh") != STANDARD.encode(canonical::body_hash([body.as_bytes()])) {
        return Verdict::BodyDiffers;
    }
    let mut input = String::new();
    let mut left: Vec<&str> = fields.clone();
    for name in tag(signature, "h").split(':') {
        if let Some(at) = left.iter().rposition(|field| canonical::name(field).eq_ignore_ascii_case(name)) {
            canonical::header(left.remove(at), &mut input);
            input.push_str("\r\n");
        }
    }
    let value = signature.rfind(" b=").expect("b= is last") + 3;
    canonical::header(&signature[..value], &mut input);
    let b = STANDARD.decode(tag(signature, "b")).expect("base64");
    let is_right = match tag(signature, "a").as_str() {
        "rsa-sha256" => UnparsedPublicKey::new(&RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY, public_key)
            .verify(input.as_bytes(), &b)
            .is_ok(),
        "ed25519-sha256" => {
            UnparsedPublicKey::new(&ED25519, public_key).verify(digest(&SHA256, input.as_bytes()).as_ref(), &b).is_ok()
        }
        other => panic!("{other}"),
    };
    if is_right { Verdict::Pass } else { Verdict::SignatureDiffers }
}

/// A tag's value without white space.
pub(super) fn tag(signature: &str, name: &str) -> String {
    let (_, value) = signature.split_once(':').expect("a field");
    let tags = value.split(';').filter_map(|tag| tag.split_once('='));
    let found = tags.into_iter().find(|(key, _)| key.trim() == name).expect("the tag");
    found.1.split_ascii_whitespace().collect()
}
