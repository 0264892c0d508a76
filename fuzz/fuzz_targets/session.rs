//! Any bytes as a relay's answers (FAULTS.md F16): a message is accepted only if a 2xx stood
//! where its last answer belongs, and good answers where the others do.
//!
//! The first byte chooses between DATA and BDAT; a NUL among the rest is a pause of the relay.
#![no_main]

use fieldpost::domain::reply::Reply;
use fieldpost::smtp::{Failure, Sendable, Session};
use fieldpost_fuzz::{OFFERS, envelope, relay, run, settings};
use libfuzzer_sys::fuzz_target;

const MESSAGE: &[u8] = b"Subject: x\r\n\r\n.\r\n";
const WINDOW: usize = 4;

fuzz_target!(|bytes: &[u8]| {
    let Some((choice, said)) = bytes.split_first() else { return };
    let pieces: Vec<Vec<u8>> = said.split(|byte| *byte == 0).map(<[u8]>::to_vec).collect();
    let codes = codes(&pieces.concat());
    let is_by_chunks = choice % 2 == 1;
    let outcomes = run(speak(pieces, is_by_chunks));
    let mut at = 0;
    for (outcome, number) in outcomes.iter().zip(0..) {
        let wanted: &[u16] = match (is_by_chunks, number) {
            (false, _) => &[2, 2, 354, 2],
            (true, 0) => &[2, 2, 2],
            (true, _) => &[2, 2, 2, 2],
        };
        if outcome.is_ok() {
            let answers = codes.get(at..at + wanted.len()).expect("every answer was given");
            let fits = |(code, wanted): (&u16, &u16)| code == wanted || code / 100 == *wanted;
            assert!(answers.iter().zip(wanted).all(fits), "{answers:?} accepted message {number}");
        }
        at += wanted.len();
    }
});

async fn speak(pieces: Vec<Vec<u8>>, is_by_chunks: bool) -> Vec<Result<Reply, Failure>> {
    let texts = [b"220 hi\r\n".to_vec(), OFFERS.as_bytes().to_vec()].into_iter().chain(pieces);
    let (stream, spoken) = relay(texts.collect());
    let relay = tokio::spawn(spoken);
    let mut session = Session::over(stream, &settings(WINDOW)).await.expect("a good beginning");
    let envelope = envelope();
    let message = Sendable::new(&envelope, MESSAGE).expect("a good message");
    let mut outcomes = Vec::new();
    if is_by_chunks {
        while session.in_flight() < WINDOW && session.push(&message, || Ok(())).await.is_ok() {}
        while session.in_flight() > 0 {
            outcomes.push(session.pull().await);
        }
    } else {
        outcomes.push(session.send(&message, || Ok(())).await);
    }
    relay.abort();
    outcomes
}

/// The codes of all replies, read as simply as can be.
fn codes(bytes: &[u8]) -> Vec<u16> {
    let text = String::from_utf8_lossy(bytes);
    let lines = text.split("\r\n");
    let last = lines.filter(|line| line.len() == 3 || line.as_bytes().get(3) == Some(&b' '));
    last.map_while(|line| line.get(..3)?.parse().ok()).collect()
}
