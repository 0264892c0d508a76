//! One socket, clear or under TLS, with a time-out on everything.

use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::pki_types::ServerName;

use super::failure::Break;
use super::inbox::Inbox;
use super::parser::RawReply;
use super::tls::Tls;

/// How much is asked of the socket at once: more than a batch of ordinary replies.
const READ_SIZE: usize = 4 * 1024;

/// A TCP stream that counts the bytes the kernel has taken. It lies below TLS, so that
/// "nothing went out" is a fact and not a guess about another library's buffers.
pub(super) struct Counted<S> {
    stream: S,
    written: u64,
}

impl<S> Counted<S> {
    fn of(stream: S) -> Self {
        Self { stream, written: 0 }
    }

    fn count(&mut self, result: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if let Poll::Ready(Ok(n)) = &result {
            self.written += *n as u64;
        }
        result
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Counted<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Counted<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.count(result)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
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

/// Anything that mail can be spoken over.
pub(super) trait Socket: AsyncRead + AsyncWrite + Send + Sync + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Sync + Unpin> Socket for T {}

enum Stream {
    Clear(Counted<TcpStream>),
    Tls(Box<TlsStream<Counted<TcpStream>>>),
    /// One the caller has opened.
    Given(Counted<Box<dyn Socket>>),
}

impl Stream {
    fn socket(&mut self) -> &mut dyn Socket {
        match self {
            Self::Clear(counted) => counted,
            Self::Tls(stream) => stream,
            Self::Given(counted) => counted,
        }
    }
}

/// Whether the kernel may take its time to acknowledge what the relay said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Acknowledgement {
    /// It may: we answer at once anyway, or the relay does not wait for it.
    Leisurely,
    /// It may not, and there is nothing to acknowledge.
    Done,
    /// It may not, and something was read since we last wrote.
    Owed,
}

/// The connection: written in whole slices, read in whole replies.
pub(super) struct Wire {
    stream: Stream,
    inbox: Inbox,
    /// Where the kernel writes what was said. Here, and not in the futures that wait for it, which
    /// are moved about.
    piece: Box<[u8; READ_SIZE]>,
    acknowledgement: Acknowledgement,
    peer: Option<SocketAddr>,
}

impl Wire {
    /// Opens a TCP connection. NODELAY is set always: with Nagle's algorithm and delayed
    /// acknowledgements a message costs 40 ms whatever the network.
    pub(super) async fn open(peer: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(peer).await?;
        stream.set_nodelay(true)?;
        Ok(Self::new(Stream::Clear(Counted::of(stream)), Some(peer)))
    }

    /// A connection that the caller has opened, wherever it leads.
    pub(super) fn over(stream: Box<dyn Socket>) -> Self {
        Self::new(Stream::Given(Counted::of(stream)), None)
    }

    fn new(stream: Stream, peer: Option<SocketAddr>) -> Self {
        let (inbox, piece) = (Inbox::default(), Box::new([0; READ_SIZE]));
        Self { stream, inbox, piece, acknowledgement: Acknowledgement::Leisurely, peer }
    }

    /// The same connection under TLS. Any byte that was already read aborts: it came before
    /// the upgrade and so from anyone (RFC 3207, 6; the STARTTLS injection of 2011).
    pub(super) async fn upgrade(self, tls: &Tls, name: ServerName<'static>, limit: Duration) -> Result<Self, Break> {
        if !self.inbox.is_empty() {
            return Err(Break::new("the relay sent clear text after STARTTLS"));
        }
        let tcp = match self.stream {
            Stream::Clear(tcp) => tcp,
            Stream::Tls(_) | Stream::Given(_) => return Err(Break::new("TLS needs a TCP connection of our own")),
        };
        let handshake = timeout(limit, tls.connector().connect(name, tcp)).await;
        let stream = handshake.map_err(|_| Break::after(limit, "no TLS handshake"))??;
        Ok(Self { stream: Stream::Tls(Box::new(stream)), ..self })
    }

    /// Whether nobody on the way can read along: TLS, or both ends on this machine.
    pub(super) fn is_private(&self) -> bool {
        match self.stream {
            Stream::Tls(_) => true,
            Stream::Clear(_) | Stream::Given(_) => self.peer.is_some_and(|peer| peer.ip().to_canonical().is_loopback()),
        }
    }

    /// How many bytes the kernel has taken so far, TLS records included.
    pub(super) fn written(&self) -> u64 {
        match &self.stream {
            Stream::Clear(counted) => counted.written,
            Stream::Tls(stream) => stream.get_ref().0.written,
            Stream::Given(counted) => counted.written,
        }
    }

    fn socket(&mut self) -> &mut dyn Socket {
        self.stream.socket()
    }

    /// From now on what the relay says is acknowledged before we wait for more. A relay that
    /// writes its answers in several pieces under Nagle's algorithm holds each back until the
    /// one before is acknowledged, and the kernel takes 40 ms over that if we write nothing.
    pub(super) fn acknowledge_at_once(&mut self) {
        if self.acknowledgement == Acknowledgement::Leisurely {
            self.acknowledgement = Acknowledgement::Owed;
        }
    }

    /// Hands all bytes to the kernel; `limit` is for each step of progress, not for the whole.
    pub(super) async fn write(&mut self, bytes: &[u8], limit: Duration) -> Result<(), Break> {
        self.write_gathered(&mut [IoSlice::new(bytes)], limit).await
    }

    /// Hands all pieces to the kernel, one behind the other, in as few steps as it allows.
    pub(super) async fn write_gathered(&mut self, pieces: &mut [IoSlice<'_>], limit: Duration) -> Result<(), Break> {
        let mut left = pieces;
        // What is empty goes, so that nothing but progress makes the rest shorter.
        IoSlice::advance_slices(&mut left, 0);
        while !left.is_empty() {
            let step = match &*left {
                [rest] => timeout(limit, self.socket().write(rest)).await,
                several => timeout(limit, self.socket().write_vectored(several)).await,
            };
            let n = step.map_err(|_| Break::after(limit, "the relay took no data"))??;
            if n == 0 {
                return Err(Break::new("the relay closed the connection"));
            }
            IoSlice::advance_slices(&mut left, n);
        }
        if !matches!(self.stream, Stream::Clear(_)) {
            // Under TLS the last record may still be in the library's buffer.
            let flush = timeout(limit, self.socket().flush()).await;
            flush.map_err(|_| Break::after(limit, "the relay took no data"))??;
        }
        if self.acknowledgement == Acknowledgement::Owed {
            // What goes out carries the acknowledgement.
            self.acknowledgement = Acknowledgement::Done;
        }
        Ok(())
    }

    /// Waits for one whole reply; `limit` is for all of it, so that a relay which sends a
    /// byte a second gains nothing.
    pub(super) async fn reply(&mut self, limit: Duration) -> Result<RawReply, Break> {
        // What is there needs no timer, nor the time.
        match self.inbox.take() {
            Some(reply) => reply,
            None => self.wait_for_reply(Instant::now() + limit, limit).await,
        }
    }

    /// As [`Wire::reply`], until a moment that lies `limit` after the waiting began. May be
    /// given up and asked again: nothing that was read is lost.
    pub(super) async fn reply_until(&mut self, end: Instant, limit: Duration) -> Result<RawReply, Break> {
        match self.inbox.take() {
            Some(reply) => reply,
            None => self.wait_for_reply(end, limit).await,
        }
    }

    async fn wait_for_reply(&mut self, end: Instant, limit: Duration) -> Result<RawReply, Break> {
        let reply = timeout_at(end, self.next_reply()).await;
        reply.unwrap_or_else(|_| Err(Break::after(limit, "no whole reply")))
    }

    async fn next_reply(&mut self) -> Result<RawReply, Break> {
        loop {
            self.acknowledge();
            let n = self.stream.socket().read(&mut self.piece[..]).await?;
            self.take_in(n)?;
            if let Some(reply) = self.inbox.take() {
                return reply;
            }
        }
    }

    /// Takes what was read: so many bytes of the piece. Between two calls a peer can make us hold
    /// no more than one piece's worth of replies, and one that is not whole.
    fn take_in(&mut self, n: usize) -> Result<(), Break> {
        if n == 0 {
            return Err(Break::new("the relay closed the connection"));
        }
        if self.acknowledgement == Acknowledgement::Done {
            self.acknowledgement = Acknowledgement::Owed;
        }
        self.inbox.put(&self.piece[..n]);
        Ok(())
    }

    /// Has the kernel acknowledge what was read; where it cannot be asked, it takes its time.
    fn acknowledge(&mut self) {
        if self.acknowledgement != Acknowledgement::Owed {
            return;
        }
        self.acknowledgement = Acknowledgement::Done;
        #[cfg(any(target_os = "linux", target_os = "android"))]
        {
            let tcp = match &self.stream {
                Stream::Clear(counted) => &counted.stream,
                Stream::Tls(stream) => &stream.get_ref().0.stream,
                Stream::Given(_) => return,
            };
            // A connection on which it fails is broken, and the next read says how.
            let _ = tcp.set_quickack(true);
        }
    }

    /// Looks, without waiting, whether the relay has said something nobody asked for or has
    /// gone. To be called when no reply is outstanding.
    pub(super) fn expect_silence(&mut self) -> Result<(), Break> {
        self.expect_at_most(0)
    }

    /// Looks, without waiting, whether the relay has gone or has said more than the answers it
    /// `owes`.
    pub(super) fn expect_at_most(&mut self, owed: usize) -> Result<(), Break> {
        if self.inbox.wants_more(owed) {
            self.look()?;
        }
        if self.inbox.is_beyond(owed) { Err(self.unsolicited(owed)) } else { Ok(()) }
    }

    /// One read that does not wait.
    fn look(&mut self) -> Result<(), Break> {
        let mut buffer = ReadBuf::new(&mut self.piece[..]);
        // The waker does nothing: the next real read registers its own.
        let mut context = Context::from_waker(Waker::noop());
        match Pin::new(self.stream.socket()).poll_read(&mut context, &mut buffer) {
            Poll::Ready(Err(error)) => Err(error.into()),
            Poll::Ready(Ok(())) => {
                let n = buffer.filled().len();
                self.take_in(n)
            }
            Poll::Pending => Ok(()),
        }
    }

    /// Whether, among what was already read, there are more whole replies than the relay
    /// `owes`. A `421` may come unasked (RFC 5321, 3.8).
    pub(super) fn said_too_much(&self, owed: usize) -> bool {
        self.inbox.surplus(owed).is_some_and(|reply| reply.code != 421)
    }

    /// Relays that want to be rid of a client say `421` before they close (RFC 5321, 3.8).
    fn unsolicited(&mut self, owed: usize) -> Break {
        match self.inbox.surplus(owed) {
            Some(reply) if reply.code == 421 => {
                Break::new(format!("the relay had closed: {}", reply.clone().into_reply().masked()))
            }
            Some(_) | None => Break::new("the relay sent a reply that nothing had asked for"),
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
    use crate::smtp::{Capabilities, Credentials, Secret, Security, Session, Settings};

    #[tokio::test]
    async fn credentials_never_go_to_another_machine_unencrypted() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut wire = Wire::open(listener.local_addr().unwrap()).await.unwrap();
        assert!(wire.is_private());
        wire.peer = Some("192.0.2.1:25".parse().unwrap());
        assert!(!wire.is_private());

        let offer = Capabilities::from_lines(&["relay".to_owned(), "AUTH PLAIN".to_owned()]);
        let settings = Settings::new("relay.example", 25, Security::StartTls);
        let mut session = Session::new(wire, offer, &settings);
        let credentials = Credentials { user: "ada".into(), password: Secret::new("opensesame") };
        assert_eq!(session.log_in(&credentials).await.unwrap_err().stage, Stage::Auth);
        assert_eq!(session.wire.written(), 0);
    }
}
