//! `publish --metrics ADDR`: `GET /metrics` for Prometheus, for as long as the run lasts.
//!
//! It has a thread and a runtime of its own and only reads counters, so the slowest client
//! delays nothing. There are bounds on how many may ask at once, how much they may say and
//! how long they may take.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::oneshot;

use super::exposition;
use super::failure::Failure;
use super::printer;
use crate::deliver::Tally;
use crate::web::http::{self, Answer, Ask, Bounds, Socket};

/// Few ask at once, and none for long.
const BOUNDS: Bounds = Bounds { clients: 8, patience: Duration::from_secs(5) };

/// An address that is bound and not served yet.
pub struct Endpoint(Socket);

/// A server that ends when it is dropped.
pub struct Metrics {
    end: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// Reads `127.0.0.1:9464`, or a port alone, which is one of this machine's own. Who wants others
/// to reach it writes an address that they can reach.
pub fn address(text: &str) -> Result<SocketAddr, String> {
    let port = text.strip_prefix(':').unwrap_or(text).parse().map(|port| SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
    port.or_else(|_| text.parse()).map_err(|_| "write an address and a port, such as 127.0.0.1:9464".to_owned())
}

impl Endpoint {
    /// Binds the address. Nobody is answered before [`Endpoint::serve`].
    pub fn bind(address: SocketAddr) -> Result<Self, Failure> {
        Socket::bind(address).map(Self).map_err(|error| Failure::usage(format!("--metrics {address}: {error}")))
    }

    /// Serves what `tally` says, and says where.
    pub fn serve(self, tally: Arc<Tally>) -> Result<Metrics, Failure> {
        let wrong = |error: std::io::Error| Failure::Unwritable(format!("metrics cannot be served: {error}"));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(wrong)?;
        printer::say(&format!("metrics: http://{}/metrics", self.0.address()));
        let (end, ended) = oneshot::channel();
        let answer = move |ask| std::future::ready(respond(&ask, &tally));
        let serving = move || {
            runtime.block_on(async {
                tokio::select! {
                    () = http::serve(self.0, BOUNDS, answer) => {}
                    _ = ended => {}
                }
            });
        };
        let thread = std::thread::Builder::new().name("metrics".into()).spawn(serving).map_err(wrong)?;
        Ok(Metrics { end: Some(end), thread: Some(thread) })
    }
}

impl Drop for Metrics {
    fn drop(&mut self) {
        drop(self.end.take());
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

fn respond(ask: &Ask, tally: &Tally) -> Answer {
    match (ask.path.as_str(), ask.is_get) {
        ("/metrics", true) => {
            Answer::ok(exposition::CONTENT_TYPE, exposition::text(tally.read(), tally.beat().as_ref()))
        }
        ("/metrics", false) => Answer::empty(405),
        (_, _) => Answer::empty(404),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_alone_is_one_of_this_machine_and_another_address_has_to_be_written() {
        let local = SocketAddr::from((Ipv4Addr::LOCALHOST, 9464));
        assert_eq!(address("9464"), Ok(local));
        assert_eq!(address(":9464"), Ok(local));
        assert_eq!(address("127.0.0.1:9464"), Ok(local));
        assert_eq!(address("0.0.0.0:9464").unwrap().ip(), Ipv4Addr::UNSPECIFIED);
        assert!(address("metrics.example.org:9464").is_err());
    }
}
