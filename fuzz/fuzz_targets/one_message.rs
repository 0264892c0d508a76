//! Any bytes as a message (FAULTS.md C1): refused, or seen as exactly this one message by a
//! strict and a lenient receiver of DATA, and by one that counts the octets of BDAT.
#![no_main]

use fieldpost::smtp::{Sendable, Session};
use fieldpost_fuzz::{OFFERS, envelope, relay, run, settings};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|message: &[u8]| {
    let envelope = envelope();
    let Ok(sendable) = Sendable::new(&envelope, message) else { return };
    let by_data = run(heard(vec!["250 a\r\n250 b\r\n354 c\r\n", "250 d\r\n"], async |session: &mut Session| {
        session.send(&sendable, || Ok(())).await.expect("it is taken");
    }));
    let wire = behind(&by_data, b"DATA\r\n");
    for breaks in [&[&b"\r\n"[..]][..], &[b"\r\n", b"\n", b"\r"]] {
        let (read, rest) = receive(wire, breaks).expect("the message has an end");
        assert!(read == message && rest == b"QUIT\r\n");
    }
    let by_bdat = run(heard(vec!["250 a\r\n250 b\r\n250 c\r\n250 d\r\n"], async |session: &mut Session| {
        session.push(&sendable, || Ok(())).await.expect("it leaves");
        // A short message has one answer less: the fourth is one too many.
        let _ = session.pull().await;
    }));
    assert!(chunks(&by_bdat) == message);
});

/// What a relay with these answers hears of a session.
async fn heard(answers: Vec<&str>, act: impl AsyncFnOnce(&mut Session)) -> Vec<u8> {
    let opening = ["220 hi\r\n", OFFERS].into_iter().chain(answers).chain(["221 bye\r\n"]);
    let (stream, spoken) = relay(opening.map(|text| text.as_bytes().to_vec()).collect());
    let relay = tokio::spawn(spoken);
    let mut session = Session::over(stream, &settings(8)).await.expect("a good relay");
    act(&mut session).await;
    session.quit().await;
    relay.await.expect("the relay does not panic")
}

fn behind<'a>(bytes: &'a [u8], mark: &[u8]) -> &'a [u8] {
    let at = bytes.windows(mark.len()).position(|window| window == mark).expect("the mark is there");
    &bytes[at + mark.len()..]
}

/// Reads one message behind DATA as a receiver that knows these line breaks; returns it and what
/// is left for commands.
fn receive<'a>(bytes: &'a [u8], breaks: &[&[u8]]) -> Option<(Vec<u8>, &'a [u8])> {
    let line_break = |rest: &[u8]| breaks.iter().find(|known| rest.starts_with(known)).map(|known| known.len());
    let (mut message, mut at, mut is_line_start) = (Vec::new(), 0, true);
    while at < bytes.len() {
        if is_line_start && bytes[at] == b'.' {
            at += 1;
            if let Some(n) = line_break(&bytes[at..]) {
                return Some((message, &bytes[at + n..]));
            }
        }
        let n = line_break(&bytes[at..]);
        is_line_start = n.is_some();
        let step = n.unwrap_or(1);
        message.extend_from_slice(&bytes[at..at + step]);
        at += step;
    }
    None
}

/// The octets of all chunks, counted as a relay counts them.
fn chunks(heard: &[u8]) -> Vec<u8> {
    let (mut rest, mut octets) = (heard, Vec::new());
    while let Some(end) = rest.windows(2).position(|two| two == b"\r\n") {
        let line = std::str::from_utf8(&rest[..end]).expect("a command");
        rest = &rest[end + 2..];
        if let Some(words) = line.strip_prefix("BDAT ") {
            let size = words.split(' ').next().and_then(|size| size.parse().ok()).expect("a size");
            octets.extend_from_slice(&rest[..size]);
            rest = &rest[size..];
        }
    }
    octets
}
