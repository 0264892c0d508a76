//! How many DKIM-sized signatures the library makes on all cores at once, for
//! `scripts/bench-delivery`: the ceiling of a sender that signs each message.
//!
//! `signatures SECONDS` prints in JSON the signatures a second of RSA-2048 with SHA-256 and of
//! Ed25519, on as many threads as there are cores.
#![expect(clippy::print_stdout, reason = "the rates are what it has to say")]

use std::time::{Duration, Instant};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{Ed25519KeyPair, RSA_PKCS1_SHA256, RsaKeyPair};

/// The header fields of a newsletter, relaxed, are about as long.
const INPUT: [u8; 900] = [b'x'; 900];

fn main() {
    let seconds = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(3);
    let time = Duration::from_secs(seconds);
    let rsa = RsaKeyPair::generate(KeySize::Rsa2048).expect("a key can be made");
    let ed25519 = Ed25519KeyPair::generate().expect("a key can be made");
    let random = SystemRandom::new();
    let rsa = rate(time, || {
        let mut signature = vec![0; rsa.public_modulus_len()];
        rsa.sign(&RSA_PKCS1_SHA256, &random, &INPUT, &mut signature).expect("the key signs");
        signature[0]
    });
    let ed25519 = rate(time, || {
        // RFC 8463 signs the SHA-256 of the fields.
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &INPUT);
        ed25519.sign(digest.as_ref()).as_ref()[0]
    });
    println!("{}", serde_json::json!({ "rsa": rsa, "ed25519": ed25519 }));
}

/// How often a second some work is done on all cores together.
fn rate(time: Duration, work: impl Fn() -> u8 + Sync) -> f64 {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let start = Instant::now();
    let done: u32 = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..cores)
            .map(|_| {
                scope.spawn(|| {
                    let mut done = 0;
                    while start.elapsed() < time {
                        std::hint::black_box(work());
                        done += 1;
                    }
                    done
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().expect("signing does not panic")).sum()
    });
    f64::from(done) / start.elapsed().as_secs_f64()
}
