//! How many messages one core assembles and signs in a second, beside what the signatures alone
//! would allow: the rate of the bare cryptography, measured in the same rounds. A second is one
//! of the processor's, so that other work on the machine counts little.
//!
//! `cargo bench --bench sign`. Figures, no verdict.
#![expect(clippy::print_stdout, reason = "the figures are what a benchmark is for")]

#[path = "support/issue.rs"]
mod issue;
mod support;

use std::hint::black_box;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{Ed25519KeyPair, RSA_PKCS1_SHA256};
use fieldpost::dkim::{Algorithm, Signer, Signers, SigningKey};
use fieldpost::domain::ids::IssueId;
use fieldpost::message::Frozen;
use issue::{copy, recipients, template};
use support::{ClockId, ROUNDS, Rates, line};

/// How long a round takes, in signatures of each kind.
const RSA_A_ROUND: usize = 500;
const ED25519_A_ROUND: usize = 5000;
/// What a second is.
const PROCESSOR: ClockId = ClockId::ThreadCPUTime;

fn main() {
    let both = Signers::new([signer(Algorithm::Rsa), signer(Algorithm::Ed25519)]);
    let (rsa, ed25519) = (both.only(Algorithm::Rsa), both.only(Algorithm::Ed25519));
    let none = Signers::none();
    let raw = Raw::new();
    for size in [4 << 10, 50 << 10] {
        let frozen = template(size);
        let id = frozen.id();
        let mut rates: [Rates; 6] = Default::default();
        // Round by round, so that a busy machine is busy for all of them.
        for _ in 0..ROUNDS {
            rates[0].measure(PROCESSOR, || repeat(RSA_A_ROUND, |_| black_box(raw.rsa())));
            rates[1].measure(PROCESSOR, || repeat(ED25519_A_ROUND, |_| black_box(raw.ed25519())));
            rates[2].measure(PROCESSOR, || messages(&frozen, &id, &none, ED25519_A_ROUND));
            rates[3].measure(PROCESSOR, || messages(&frozen, &id, &rsa, RSA_A_ROUND));
            rates[4].measure(PROCESSOR, || messages(&frozen, &id, &ed25519, ED25519_A_ROUND));
            rates[5].measure(PROCESSOR, || messages(&frozen, &id, &both, RSA_A_ROUND));
        }
        report(size >> 10, &rates);
    }
}

fn report(kib: usize, [raw_rsa, raw_ed25519, none, rsa, ed25519, both]: &[Rates; 6]) {
    println!("{}", line("RSA-2048 alone", "signatures/s", raw_rsa));
    println!("{}", line("Ed25519 alone", "signatures/s", raw_ed25519));
    let name = |how: &str| format!("{how}, {kib} KiB");
    println!("{}", line(&name("unsigned"), "messages/s", none));
    println!("{}{}", line(&name("RSA"), "messages/s", rsa), share(rsa, raw_rsa));
    println!("{}{}", line(&name("Ed25519"), "messages/s", ed25519), share(ed25519, raw_ed25519));
    println!("{}{}", line(&name("both"), "messages/s", both), share(both, raw_rsa));
}

/// The rate as a share of what the signature alone allows.
fn share(rate: &Rates, raw: &Rates) -> String {
    format!("  {:.2} of the signature alone", rate.median() / raw.median())
}

fn messages(frozen: &Frozen, id: &IssueId, signers: &Signers, count: usize) -> usize {
    let recipients = recipients();
    repeat(count, |number| black_box(copy(frozen, id, signers, &recipients, number)))
}

fn repeat<T>(count: usize, mut work: impl FnMut(usize) -> T) -> usize {
    (0..count).for_each(|number| drop(work(number)));
    count
}

fn signer(algorithm: Algorithm) -> Signer {
    let key = SigningKey::generate(algorithm).expect("a key");
    Signer::new(key, "example.org", algorithm.name()).expect("a name")
}

/// The library's own signatures, of a digest.
struct Raw {
    rsa: KeyPair,
    ed25519: Ed25519KeyPair,
}

impl Raw {
    fn new() -> Self {
        let rsa = KeyPair::generate(KeySize::Rsa2048).expect("a key");
        Self { rsa, ed25519: Ed25519KeyPair::generate().expect("a key") }
    }

    fn rsa(&self) -> Vec<u8> {
        let mut signature = vec![0; self.rsa.public_modulus_len()];
        let digest = digest(&SHA256, b"message");
        self.rsa.sign_digest(&RSA_PKCS1_SHA256, &digest, &mut signature).expect("a signature");
        signature
    }

    fn ed25519(&self) -> aws_lc_rs::signature::Signature {
        self.ed25519.sign(digest(&SHA256, b"message").as_ref())
    }
}
