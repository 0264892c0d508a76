//! Whom we ask about the world: the one guarded HTTP client, and DNS.
//!
//! Whatever somebody else's text makes us ask for over HTTP goes through [`Client`].
//! A name is resolved once, every address it has must be public, and the connection goes to an
//! address that was looked at. A redirect is a new question. Nothing is asked for longer than
//! [`PATIENCE`], and no more than [`MOST`] bytes are read.

mod address;
mod resolver;
mod tls;

use std::net::SocketAddr;
use std::time::Duration;

use hyper::body::{Body, Incoming};
use hyper::header::{ACCEPT, HOST, LOCATION, USER_AGENT};
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, lookup_host};
use url::{Host, Url};

pub use address::is_public;
pub use resolver::{Answer, Exchange, NoResolver, Resolver, Text, Unanswered};
use tls::Tls;

/// One question may take so long, its redirects included.
pub const PATIENCE: Duration = Duration::from_secs(15);
/// The most bytes of an answer that are read.
pub const MOST: u64 = 64 * 1024;
/// A redirect leads to a redirect no more often than this.
const REDIRECTS: usize = 5;

/// Which addresses may be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Those of the public internet.
    Public,
    /// Those of this machine and its networks, too.
    Anywhere,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EgressError {
    /// Neither `http` nor `https`, or no host.
    #[error("`{0}` is no address of the web")]
    Address(String),
    /// The name has an address that nobody outside may ask.
    #[error("`{0}` is an address of a private network")]
    Private(String),
    /// The name has no address.
    #[error("there is no host `{0}`")]
    NoHost(String),
    /// Nobody answers, or what answers is no HTTP.
    #[error("no answer: {0}")]
    NoAnswer(String),
    /// Not within [`PATIENCE`].
    #[error("no answer within {} seconds", PATIENCE.as_secs())]
    TooLate,
    /// Redirects without end.
    #[error("more than {REDIRECTS} redirects")]
    Redirects,
}

/// A client of other people's servers. Cheap to clone; it keeps no connection.
#[derive(Clone)]
pub struct Client {
    tls: Tls,
    reach: Reach,
}

impl Client {
    /// A client that trusts the system's certificate authorities.
    pub fn new(reach: Reach) -> Self {
        Self { tls: Tls::system(), reach }
    }

    /// The status of a page, its redirects followed. Servers that do not know HEAD are asked by
    /// GET, and hung up on once the status is known.
    pub async fn status(&self, url: &str) -> Result<u16, EgressError> {
        let asked = async {
            let status = self.ask(url, Method::HEAD).await?;
            if status.is_client_error() || status == StatusCode::NOT_IMPLEMENTED {
                return self.ask(url, Method::GET).await;
            }
            Ok(status)
        };
        let status = tokio::time::timeout(PATIENCE, asked).await.map_err(|_| EgressError::TooLate)??;
        Ok(status.as_u16())
    }

    async fn ask(&self, url: &str, method: Method) -> Result<StatusCode, EgressError> {
        let mut url = Url::parse(url).map_err(|_| EgressError::Address(url.to_owned()))?;
        for _ in 0..=REDIRECTS {
            let response = self.exchange(&url, method.clone()).await?;
            let location = response.headers().get(LOCATION).and_then(|value| value.to_str().ok());
            match location.filter(|_| response.status().is_redirection()) {
                Some(location) => url = url.join(location).map_err(|_| EgressError::Address(location.to_owned()))?,
                None => return Ok(response.status()),
            }
        }
        Err(EgressError::Redirects)
    }

    async fn exchange(&self, url: &Url, method: Method) -> Result<Response<Incoming>, EgressError> {
        let stream = self.connect(url).await?;
        match url.scheme() {
            "http" => send(stream, url, method).await,
            "https" => {
                let host = url.host_str().unwrap_or_default();
                let stream = self.tls.connect(host, stream).await.map_err(|error| no_answer(&error))?;
                send(stream, url, method).await
            }
            _ => Err(EgressError::Address(url.to_string())),
        }
    }

    /// Connects to an address that was looked at.
    async fn connect(&self, url: &Url) -> Result<TcpStream, EgressError> {
        let wrong = || EgressError::Address(url.to_string());
        let port =
            url.port_or_known_default().filter(|_| matches!(url.scheme(), "http" | "https")).ok_or_else(wrong)?;
        let host = url.host().ok_or_else(wrong)?;
        let addresses: Vec<SocketAddr> = match host {
            Host::Ipv4(ip) => vec![SocketAddr::from((ip, port))],
            Host::Ipv6(ip) => vec![SocketAddr::from((ip, port))],
            Host::Domain(name) => {
                let found = lookup_host((name, port)).await;
                found.map_err(|_| EgressError::NoHost(name.to_owned()))?.collect()
            }
        };
        // One private address among public ones is an attempt to get at it.
        if self.reach == Reach::Public && !addresses.iter().all(|address| is_public(address.ip())) {
            return Err(EgressError::Private(host.to_string()));
        }
        if addresses.is_empty() {
            return Err(EgressError::NoHost(host.to_string()));
        }
        TcpStream::connect(&addresses[..]).await.map_err(|error| no_answer(&error))
    }
}

/// Sends a request without a body and reads the head of the answer.
async fn send<S>(stream: S, url: &Url, method: Method) -> Result<Response<Incoming>, EgressError>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let mut builder = hyper::client::conn::http1::Builder::new();
    let builder = builder.max_headers(100).max_buf_size(usize::try_from(MOST).unwrap_or(usize::MAX));
    let (mut sender, connection) = builder.handshake(TokioIo::new(stream)).await.map_err(|error| no_answer(&error))?;
    // It ends with the request's sender, at the latest when the patience is over.
    tokio::spawn(connection);
    let target = match url.query() {
        Some(query) => format!("{}?{query}", url.path()),
        None => url.path().to_owned(),
    };
    let host = match url.port() {
        Some(port) => format!("{}:{port}", url.host_str().unwrap_or_default()),
        None => url.host_str().unwrap_or_default().to_owned(),
    };
    let request = Request::builder()
        .method(method)
        .uri(target)
        .header(HOST, host)
        .header(USER_AGENT, concat!("fieldpost/", env!("CARGO_PKG_VERSION"), " (link check)"))
        .header(ACCEPT, "text/html,*/*;q=0.5")
        .body(Nothing)
        .map_err(|error| no_answer(&error))?;
    sender.send_request(request).await.map_err(|error| no_answer(&error))
}

fn no_answer(error: &impl std::fmt::Display) -> EgressError {
    EgressError::NoAnswer(error.to_string())
}

/// The body of a question.
struct Nothing;

impl Body for Nothing {
    type Data = std::io::Cursor<&'static [u8]>;
    type Error = std::convert::Infallible;

    fn poll_frame(
        self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<hyper::body::Frame<Self::Data>, Self::Error>>> {
        std::task::Poll::Ready(None)
    }

    fn is_end_stream(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests;
