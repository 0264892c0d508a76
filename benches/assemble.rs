//! How many messages one core assembles in a second: everything a copy needs before it may
//! go out, which is filling the gaps, scanning the result, and its SHA-256. `sign` measures
//! the same with signatures.
//!
//! `cargo bench --bench assemble`. Figures, no verdict.
#![expect(clippy::print_stdout, reason = "the figures are what a benchmark is for")]

#[path = "support/issue.rs"]
mod issue;
mod support;

use std::hint::black_box;

use fieldpost::dkim::Signers;
use issue::{copy, recipients, template};
use support::{ClockId, ROUNDS, Rates, line};

/// Bytes assembled in one round, so that a round takes about as long for every size.
const BYTES_A_ROUND: usize = 64 << 20;

fn main() {
    for size in [4 << 10, 50 << 10] {
        let frozen = template(size);
        let (id, recipients) = (frozen.id(), recipients());
        let copies = BYTES_A_ROUND / size;
        let mut rates = Rates::default();
        for _ in 0..ROUNDS {
            rates.measure(ClockId::ThreadCPUTime, || {
                (0..copies).for_each(|number| {
                    black_box(copy(&frozen, &id, &Signers::none(), &recipients, number));
                });
                copies
            });
        }
        println!("{}", line(&format!("assemble, {} KiB", size >> 10), "messages/s", &rates));
    }
}
