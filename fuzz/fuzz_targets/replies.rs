//! Any bytes as a relay's greeting and offers: bounded, no panic, and nothing is believed that
//! was not said.
#![no_main]

use fieldpost::smtp::{Extension, Session};
use fieldpost_fuzz::{relay, run, settings};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let first = bytes.iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |at| at + 1);
    let (greeting, offers) = bytes.split_at(first);
    let opened = run(async {
        let (stream, spoken) = relay(vec![greeting.to_vec(), offers.to_vec()]);
        let relay = tokio::spawn(spoken);
        let opened = Session::over(stream, &settings(8)).await;
        relay.abort();
        opened
    });
    let Ok(session) = opened else { return };
    assert!(greeting.starts_with(b"220") && greeting.ends_with(b"\r\n"));
    assert!(offers.starts_with(b"250") && offers.len() <= 128 * 1024);
    let said = String::from_utf8_lossy(offers).to_ascii_uppercase();
    for (extension, keyword) in [
        (Extension::Chunking, "CHUNKING"),
        (Extension::Pipelining, "PIPELINING"),
        (Extension::Size, "SIZE"),
        (Extension::Dsn, "DSN"),
    ] {
        assert!(!session.capabilities().offers(extension) || said.contains(keyword));
    }
    assert!(session.capabilities().mail_limit().is_none() || said.contains("MAILMAX"));
});
