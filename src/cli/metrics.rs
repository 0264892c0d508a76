//! `publish --metrics ADDR`: `GET /metrics` for Prometheus, for as long as the run lasts.
//!
//! It has a thread and a runtime of its own and only reads counters, so the slowest client
//! delays nothing. There are bounds on how many may ask at once, how much they may say and
//! how long they may take.

use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::header::{ALLOW, CONTENT_TYPE};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tokio::sync::{Semaphore, oneshot};

use super::exposition;
use super::failure::Failure;
use super::printer;
use crate::deliver::Tally;

/// So many clients are served at once; others wait in the system's queue.
const CLIENTS: usize = 8;
/// A client that has not been served after so long is cut off.
const PATIENCE: Duration = Duration::from_secs(5);
/// The most bytes of a request's head that are read, and that are written ahead.
const HEAD: usize = 8 * 1024;
/// The most headers of a request.
const HEADERS: usize = 32;

/// An address that is bound and not served yet.
pub struct Endpoint(TcpListener);

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
        let wrong = |error: std::io::Error| Failure::usage(format!("--metrics {address}: {error}"));
        let listener = TcpListener::bind(address).map_err(wrong)?;
        listener.set_nonblocking(true).map_err(wrong)?;
        Ok(Self(listener))
    }

    fn url(&self) -> String {
        let address = self.0.local_addr().expect("a bound socket has an address");
        format!("http://{address}/metrics")
    }

    /// Serves what `tally` says, and says where.
    pub fn serve(self, tally: Arc<Tally>) -> Result<Metrics, Failure> {
        let wrong = |error: std::io::Error| Failure::Unwritable(format!("metrics cannot be served: {error}"));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(wrong)?;
        printer::say(&format!("metrics: {}", self.url()));
        let (end, ended) = oneshot::channel();
        let serving = move || {
            runtime.block_on(async {
                tokio::select! {
                    () = accept(self.0, tally) => {}
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

async fn accept(listener: TcpListener, tally: Arc<Tally>) {
    let listener = tokio::net::TcpListener::from_std(listener).expect("the socket does not block");
    let places = Arc::new(Semaphore::new(CLIENTS));
    loop {
        let place = Arc::clone(&places).acquire_owned().await.expect("the places are never closed");
        let Ok((stream, _)) = listener.accept().await else {
            // Out of files, or the client is gone: the one passes, the other does no harm.
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        let tally = Arc::clone(&tally);
        tokio::spawn(async move {
            // Whether it was served in time or not is the client's affair.
            drop(tokio::time::timeout(PATIENCE, answer(stream, tally)).await);
            drop(place);
        });
    }
}

async fn answer(stream: TcpStream, tally: Arc<Tally>) {
    let service = service_fn(move |request: Request<Incoming>| {
        let response = respond(request.method(), request.uri().path(), &tally);
        async move { Ok::<_, Infallible>(response) }
    });
    let mut http = http1::Builder::new();
    http.keep_alive(false).max_buf_size(HEAD).max_headers(HEADERS).timer(TokioTimer::new());
    // A connection that broke is over.
    drop(http.header_read_timeout(PATIENCE).serve_connection(TokioIo::new(stream), service).await);
}

fn respond(method: &Method, path: &str, tally: &Tally) -> Response<String> {
    let response = Response::builder().header(CONTENT_TYPE, exposition::CONTENT_TYPE);
    let response = match (path, method) {
        ("/metrics", &Method::GET) => response.body(exposition::text(tally.read(), tally.beat().as_ref())),
        ("/metrics", _) => response.status(StatusCode::METHOD_NOT_ALLOWED).header(ALLOW, "GET").body(String::new()),
        (_, _) => response.status(StatusCode::NOT_FOUND).body(String::new()),
    };
    response.expect("constants make a response")
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
