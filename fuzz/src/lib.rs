//! What the targets lean on: a relay in memory that says what it is told to, and a clock that
//! jumps whenever everybody waits.

use std::future::Future;
use std::time::Duration;

use fieldpost::domain::address::Address;
use fieldpost::smtp::{ClearTextTo, Envelope, Security, Settings};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::time::timeout;

/// The offers of a relay that can do everything.
pub const OFFERS: &str = "250-relay\r\n250-PIPELINING\r\n250-CHUNKING\r\n250-8BITMIME\r\n250 SMTPUTF8\r\n";

/// Runs a future on a clock that stands still until nothing else can happen.
pub fn run<F: Future>(future: F) -> F::Output {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_time().start_paused(true).build().expect("a runtime").block_on(future)
}

/// A connection, and a relay at its other end that says each text as soon as the client has been
/// quiet for a while, and then closes. The relay's end returns all that it was told.
pub fn relay(texts: Vec<Vec<u8>>) -> (DuplexStream, impl Future<Output = Vec<u8>> + Send + 'static) {
    let (ours, mut theirs) = tokio::io::duplex(64 * 1024);
    let spoken = async move {
        let mut heard = Vec::new();
        for text in texts {
            listen(&mut theirs, &mut heard).await;
            if theirs.write_all(&text).await.is_err() {
                return heard;
            }
        }
        listen(&mut theirs, &mut heard).await;
        heard
    };
    (ours, spoken)
}

/// Takes in what the client says until it is quiet or gone.
async fn listen(stream: &mut DuplexStream, heard: &mut Vec<u8>) {
    while let Ok(Ok(1..)) = timeout(Duration::from_secs(1), stream.read_buf(heard)).await {}
}

/// Settings for a window of that many messages.
pub fn settings(window: usize) -> Settings {
    Settings { window, ..Settings::new("relay.example", 25, Security::ClearText(ClearTextTo::LoopbackOnly)) }
}

/// An envelope like any other.
pub fn envelope() -> Envelope {
    let address = |text| Address::parse(text).expect("an address");
    Envelope::new(Some(address("bounce@example.org")), address("ada@example.net"))
}
