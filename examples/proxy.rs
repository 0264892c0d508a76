//! The tests' long wire as a program, for `scripts/bench-delivery`.
//!
//! `proxy TARGET_PORT DELAY_MS` listens on a free port of 127.0.0.1, prints it, and passes
//! everything on to `TARGET_PORT`, late by `DELAY_MS` in each direction. It ends with its
//! standard input.
#![expect(clippy::print_stdout, reason = "the port is what it has to say")]

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

#[path = "../tests/support/proxy.rs"]
#[allow(dead_code, reason = "the program only delays; the tests use the rest")]
mod proxy;

use proxy::{Proxy, Wire};

fn main() -> io::Result<()> {
    let numbers: Option<Vec<u16>> = std::env::args().skip(1).map(|text| text.parse().ok()).collect();
    let Some([port, delay]) = numbers.as_deref() else {
        return Err(io::Error::other("usage: proxy TARGET_PORT DELAY_MS"));
    };
    let target = SocketAddr::from((Ipv4Addr::LOCALHOST, *port));
    let wire = Wire { delay: Duration::from_millis(u64::from(*delay)), ..Wire::default() };
    let proxy = Proxy::start(target, wire)?;
    println!("{}", proxy.port());
    io::copy(&mut io::stdin(), &mut io::sink())?;
    Ok(())
}
