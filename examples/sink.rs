//! The tests' relay as a program, for `scripts/bench-delivery` and `scripts/bench-million`.
//!
//! `sink [OFFER ...]` listens on a free port of 127.0.0.1, prints it, and takes every message.
//! It offers PIPELINING, 8BITMIME and SIZE, and what it is told beside them, such as CHUNKING.
//! It ends with its standard input, and prints in JSON how many messages, connections and
//! round trips there were.
#![expect(clippy::print_stdout, reason = "the port and the counts are what it has to say")]

use std::io;

#[path = "../tests/support/sink/mod.rs"]
#[allow(dead_code, unused_imports, reason = "the program is a good relay; the tests use the rest")]
mod sink;

use sink::script::Keep;
use sink::{Script, Sink};

fn main() -> io::Result<()> {
    let mut script = Script { keep: Keep::Count, ..Script::default() };
    script.offers.extend(std::env::args().skip(1));
    let sink = Sink::start(script);
    println!("{}", sink.port());
    io::copy(&mut io::stdin(), &mut io::sink())?;
    let counts = serde_json::json!({
        "accepted": sink.accepted_count(),
        "connections": sink.connection_count(),
        "turns": sink.turn_count(),
    });
    println!("{counts}");
    Ok(())
}
