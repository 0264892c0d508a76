//! One socket, clear or under TLS, with a time-out on everything.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::pki_types::ServerName;

use super::parser::{RawReply, ReplyParser};
use super::tls::Tls;

/// How much is asked of the socket at once: more than a batch of ordinary replies.
const READ_SIZE: usize = 4 * 1024;

/// Why a connection can no longer be used; a short text that names nobody.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct Break(String);

impl Break {
    pub(super) fn new(how: impl Into<String>) -> Self {
        Self(how.into())
    }

    fn after(limit: Duration, what: &str) -> Self {
        Self(format!("{what} for {} s", limit.as_secs_f32()))
    }
}

impl From<io::Error> for Break {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::UnexpectedEof => Self::new("the relay closed the connection"),
            _ => Self(error.to_string()),
        }
    }
}

impl From<Break> for String {
    fn from(broken: Break) -> Self {
        broken.0
    }
}

/// A TCP stream that counts the bytes the kernel has taken. It lies below TLS, so that
/// "nothing went out" is a fact and not a guess about another library's buffers.
pub(super) struct Counted {
    stream: TcpStream,
    written: u64,
}

impl Counted {
    fn count(&mut self, result: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if let Poll::Ready(Ok(n)) = &result {
            self.written += *n as u64;
        }
        result
    }
}

impl AsyncRead for Counted {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Counted {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.count(result)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.stream).poll_write_vectored(cx, bufs);
        self.count(result)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

trait Socket: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Socket for T {}

enum Stream {
    Clear(Counted),
    Tls(Box<TlsStream<Counted>>),
}

/// The connection: written in whole slices, read in whole replies.
pub(super) struct Wire {
    stream: Stream,
    /// Bytes read and not yet parsed: replies to commands sent together.
    unread: Vec<u8>,
    parser: ReplyParser,
    peer: SocketAddr,
}

impl Wire {
    /// Opens a TCP connection. NODELAY is set always: with Nagle's algorithm and delayed
    /// acknowledgements a message costs 40 ms whatever the network.
    pub(super) async fn open(peer: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(peer).await?;
        stream.set_nodelay(true)?;
        let stream = Stream::Clear(Counted { stream, written: 0 });
        Ok(Self { stream, unread: Vec::new(), parser: ReplyParser::default(), peer })
    }

    /// The same connection under TLS. Any byte that was already read aborts: it came before
    /// the upgrade and so from anyone (RFC 3207, 6; the STARTTLS injection of 2011).
    pub(super) async fn upgrade(self, tls: &Tls, name: ServerName<'static>, limit: Duration) -> Result<Self, Break> {
        if self.has_unread() {
            return Err(Break::new("the relay sent clear text after STARTTLS"));
        }
        let Stream::Clear(tcp) = self.stream else {
            return Err(Break::new("TLS within TLS"));
        };
        let handshake = timeout(limit, tls.connector().connect(name, tcp)).await;
        let stream = handshake.map_err(|_| Break::after(limit, "no TLS handshake"))??;
        Ok(Self { stream: Stream::Tls(Box::new(stream)), ..self })
    }

    /// Whether nobody on the way can read along: TLS, or both ends on this machine.
    pub(super) fn is_private(&self) -> bool {
        match self.stream {
            Stream::Tls(_) => true,
            Stream::Clear(_) => self.peer.ip().to_canonical().is_loopback(),
        }
    }

    /// How many bytes the kernel has taken so far, TLS records included.
    pub(super) fn written(&self) -> u64 {
        match &self.stream {
            Stream::Clear(counted) => counted.written,
            Stream::Tls(stream) => stream.get_ref().0.written,
        }
    }

    fn socket(&mut self) -> &mut dyn Socket {
        match &mut self.stream {
            Stream::Clear(counted) => counted,
            Stream::Tls(stream) => stream,
        }
    }

    /// Hands all bytes to the kernel; `limit` is for each step of progress, not for the whole.
    pub(super) async fn write(&mut self, mut bytes: &[u8], limit: Duration) -> Result<(), Break> {
        while !bytes.is_empty() {
            let step = timeout(limit, self.socket().write(bytes)).await;
            let n = step.map_err(|_| Break::after(limit, "the relay took no data"))??;
            if n == 0 {
                return Err(Break::new("the relay closed the connection"));
            }
            bytes = &bytes[n..];
        }
        // Under TLS the last record may still be in the library's buffer.
        let flush = timeout(limit, self.socket().flush()).await;
        Ok(flush.map_err(|_| Break::after(limit, "the relay took no data"))??)
    }

    /// Waits for one whole reply; `limit` is for all of it, so that a relay which sends a
    /// byte a second gains nothing.
    pub(super) async fn reply(&mut self, limit: Duration) -> Result<RawReply, Break> {
        match timeout(limit, self.next_reply()).await {
            Ok(reply) => reply,
            Err(_) => Err(Break::after(limit, "no whole reply")),
        }
    }

    async fn next_reply(&mut self) -> Result<RawReply, Break> {
        loop {
            let (taken, reply) = self.parser.push(&self.unread).map_err(|error| Break::new(error.to_string()))?;
            self.unread.drain(..taken);
            if let Some(reply) = reply {
                return Ok(reply);
            }
            let mut piece = [0; READ_SIZE];
            let n = self.socket().read(&mut piece).await?;
            if n == 0 {
                return Err(Break::new("the relay closed the connection"));
            }
            self.unread.extend_from_slice(&piece[..n]);
        }
    }

    /// Looks, without waiting, whether the relay has said something nobody asked for or has
    /// gone. To be called when no reply is outstanding.
    pub(super) fn expect_silence(&mut self) -> Result<(), Break> {
        let mut piece = [0; READ_SIZE];
        let mut buffer = ReadBuf::new(&mut piece);
        // The waker does nothing: the next real read registers its own.
        let mut context = Context::from_waker(Waker::noop());
        match Pin::new(self.socket()).poll_read(&mut context, &mut buffer) {
            Poll::Ready(Err(error)) => return Err(error.into()),
            Poll::Ready(Ok(())) if buffer.filled().is_empty() => {
                return Err(Break::new("the relay closed the connection"));
            }
            Poll::Ready(Ok(())) => {
                let said = buffer.filled().to_vec();
                self.unread.extend_from_slice(&said);
            }
            Poll::Pending => {}
        }
        if self.has_unread() { Err(self.unsolicited()) } else { Ok(()) }
    }

    fn has_unread(&self) -> bool {
        !self.unread.is_empty() || self.parser.is_within_reply()
    }

    /// Relays that want to be rid of a client say `421` before they close (RFC 5321, 3.8).
    fn unsolicited(&mut self) -> Break {
        match self.parser.push(&self.unread) {
            Ok((_, Some(reply))) if reply.code == 421 => {
                Break::new(format!("the relay had closed: {}", reply.into_reply().masked()))
            }
            Ok(_) | Err(_) => Break::new("the relay sent a reply that nothing had asked for"),
        }
    }

    /// Ends the connection, under TLS with a close notification.
    pub(super) async fn close(mut self, limit: Duration) {
        // Nothing depends on how the relay takes it.
        let _ = timeout(limit, self.socket().shutdown()).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::reply::Stage;
    use crate::smtp::{Capabilities, Credentials, Secret, Session, Timeouts};

    #[tokio::test]
    async fn credentials_never_go_to_another_machine_unencrypted() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut wire = Wire::open(listener.local_addr().unwrap()).await.unwrap();
        assert!(wire.is_private());
        wire.peer = "192.0.2.1:25".parse().unwrap();
        assert!(!wire.is_private());

        let offer = Capabilities::from_lines(&["relay".to_owned(), "AUTH PLAIN".to_owned()]);
        let mut session = Session::new(wire, offer, Timeouts::default());
        let credentials = Credentials { user: "ada".into(), password: Secret::new("opensesame") };
        assert_eq!(session.log_in(&credentials).await.unwrap_err().stage, Stage::Auth);
        assert_eq!(session.wire.written(), 0);
    }
}
