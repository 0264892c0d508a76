//! A small HTTP server (RFC 9112) with bounds on how many may ask at once, how much they may
//! say and how long they may take.

use std::convert::Infallible;
use std::future::Future;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{ALLOW, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HOST, X_CONTENT_TYPE_OPTIONS};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;

/// The most bytes of a request's head that are read, and that are written ahead.
const HEAD: usize = 8 * 1024;
/// The most headers of a request.
const HEADERS: usize = 64;

/// What a server bears.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// So many clients are served at once; others wait in the system's queue.
    pub clients: usize,
    /// A client that has not been served after so long is cut off.
    pub patience: Duration,
}

/// What somebody asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    /// Whether it is a GET; nothing else is read here.
    pub is_get: bool,
    /// The path, still percent-encoded.
    pub path: String,
    /// What stands behind the `?`, still encoded.
    pub query: String,
    /// The name that the client thinks we have, with its port.
    pub host: String,
}

/// What is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The media type.
    pub kind: &'static str,
    /// The content.
    pub body: Vec<u8>,
    /// The Content-Security-Policy, if there is one.
    pub policy: Option<&'static str>,
}

impl Answer {
    /// A success.
    pub fn ok(kind: &'static str, body: impl Into<Vec<u8>>) -> Self {
        Self { status: 200, kind, body: body.into(), policy: None }
    }

    /// A status and nothing else.
    pub fn empty(status: u16) -> Self {
        Self { status, kind: "text/plain; charset=utf-8", body: Vec::new(), policy: None }
    }

    /// The same, with a policy on what the page may load and run.
    #[must_use]
    pub fn under(self, policy: &'static str) -> Self {
        Self { policy: Some(policy), ..self }
    }
}

/// An address that is bound. Nobody is answered before [`serve`].
#[derive(Debug)]
pub struct Socket(TcpListener);

impl Socket {
    /// Binds an address; port 0 is any that is free.
    pub fn bind(address: SocketAddr) -> std::io::Result<Self> {
        let listener = TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        Ok(Self(listener))
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.0.local_addr().expect("a bound socket has an address")
    }
}

/// Answers until the future is dropped. To be called inside a runtime of tokio with I/O and time.
pub async fn serve<F, A>(socket: Socket, bounds: Bounds, answer: F)
where
    F: Fn(Ask) -> A + Clone + Send + Sync + 'static,
    A: Future<Output = Answer> + Send + 'static,
{
    let listener = tokio::net::TcpListener::from_std(socket.0).expect("the socket does not block");
    let places = Arc::new(Semaphore::new(bounds.clients));
    loop {
        let place = Arc::clone(&places).acquire_owned().await.expect("the places are never closed");
        let Ok((stream, _)) = listener.accept().await else {
            // Out of files, or the client is gone: the one passes, the other does no harm.
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        let answer = answer.clone();
        tokio::spawn(async move {
            // Whether it was served in time or not is the client's affair.
            drop(tokio::time::timeout(bounds.patience, converse(stream, bounds, answer)).await);
            drop(place);
        });
    }
}

async fn converse<F, A>(stream: TcpStream, bounds: Bounds, answer: F)
where
    F: Fn(Ask) -> A + Clone + Send + Sync + 'static,
    A: Future<Output = Answer> + Send + 'static,
{
    let service = service_fn(move |request: Request<Incoming>| {
        let answer = answer(ask(&request));
        async move { Ok::<_, Infallible>(response(answer.await)) }
    });
    let mut http = http1::Builder::new();
    http.keep_alive(false).max_buf_size(HEAD).max_headers(HEADERS).timer(TokioTimer::new());
    // A connection that broke is over.
    drop(http.header_read_timeout(bounds.patience).serve_connection(TokioIo::new(stream), service).await);
}

fn ask(request: &Request<Incoming>) -> Ask {
    let host = request.headers().get(HOST).and_then(|host| host.to_str().ok());
    Ask {
        is_get: request.method() == Method::GET,
        path: request.uri().path().to_owned(),
        query: request.uri().query().unwrap_or_default().to_owned(),
        host: host.unwrap_or_default().to_owned(),
    }
}

fn response(answer: Answer) -> Response<Full<Bytes>> {
    let mut response = Response::builder()
        .status(answer.status)
        .header(CONTENT_TYPE, answer.kind)
        .header(CACHE_CONTROL, "no-store")
        .header(X_CONTENT_TYPE_OPTIONS, "nosniff");
    if answer.status == 405 {
        response = response.header(ALLOW, "GET");
    }
    if let Some(policy) = answer.policy {
        response = response.header(CONTENT_SECURITY_POLICY, policy);
    }
    response.body(Full::from(Bytes::from(answer.body))).expect("constants and a number make a response")
}
