//! The sink's side of a socket: lines in, gathered replies out.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

const READ_SIZE: usize = 16 * 1024;

/// The connection's socket; `Gone` only while it is being upgraded.
enum Socket {
    Clear(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
    Gone,
}

impl Socket {
    async fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Clear(stream) => stream.read(into).await,
            Self::Tls(stream) => stream.read(into).await,
            Self::Gone => Ok(0),
        }
    }

    async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Clear(stream) => stream.write_all(bytes).await,
            Self::Tls(stream) => {
                stream.write_all(bytes).await?;
                stream.flush().await
            }
            Self::Gone => Ok(()),
        }
    }
}

/// A strict receiver: a line ends with CRLF and nothing else, a message with CRLF.CRLF.
/// Replies are gathered and written when there is nothing left to read, as relays with
/// PIPELINING do.
pub(super) struct Wire {
    socket: Socket,
    unread: Vec<u8>,
    start: usize,
    piece: Box<[u8]>,
    out: Vec<u8>,
    turns: Arc<AtomicUsize>,
}

impl Wire {
    /// `turns` counts how often something is answered.
    pub(super) fn new(stream: TcpStream, turns: Arc<AtomicUsize>) -> Self {
        let piece = vec![0; READ_SIZE].into_boxed_slice();
        Self { socket: Socket::Clear(stream), unread: Vec::new(), start: 0, piece, out: Vec::new(), turns }
    }

    /// Goes on under TLS; whatever was read before is forgotten.
    pub(super) async fn secure(&mut self, acceptor: &TlsAcceptor) -> io::Result<()> {
        self.flush().await?;
        self.unread.clear();
        self.start = 0;
        let Socket::Clear(stream) = std::mem::replace(&mut self.socket, Socket::Gone) else { return Ok(()) };
        self.socket = Socket::Tls(Box::new(acceptor.accept(stream).await?));
        Ok(())
    }

    pub(super) fn is_clear(&self) -> bool {
        matches!(self.socket, Socket::Clear(_))
    }

    /// Makes the coming close a reset (RST).
    pub(super) fn reset_on_close(&self) -> io::Result<()> {
        match &self.socket {
            Socket::Clear(stream) => stream.set_zero_linger(),
            Socket::Tls(stream) => stream.get_ref().0.set_zero_linger(),
            Socket::Gone => Ok(()),
        }
    }

    /// Queues a line of a reply.
    pub(super) fn say(&mut self, line: &str) {
        self.out.extend_from_slice(line.as_bytes());
        self.out.extend_from_slice(b"\r\n");
    }

    /// Writes what is queued, and then these bytes as they are.
    pub(super) async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.flush().await?;
        self.socket.write(bytes).await
    }

    pub(super) async fn flush(&mut self) -> io::Result<()> {
        let out = std::mem::take(&mut self.out);
        self.turns.fetch_add(usize::from(!out.is_empty()), Ordering::SeqCst);
        self.socket.write(&out).await
    }

    /// Reads and forgets until the client goes away.
    pub(super) async fn ignore(&mut self) -> io::Result<()> {
        while self.socket.read(&mut self.piece).await? > 0 {}
        Ok(())
    }

    /// The next line without its CRLF; `None` at the end of the stream.
    pub(super) async fn line(&mut self) -> io::Result<Option<Vec<u8>>> {
        let Some(length) = self.next_line().await? else { return Ok(None) };
        let line = self.unread[self.start..self.start + length].to_vec();
        self.start += length + 2;
        Ok(Some(line))
    }

    /// Makes sure that a whole line is there; returns its length without its CRLF.
    async fn next_line(&mut self) -> io::Result<Option<usize>> {
        let mut scanned = self.start;
        loop {
            let feeds = self.unread[scanned..].iter().enumerate().filter(|(_, byte)| **byte == b'\n');
            let mut ends = feeds.map(|(at, _)| scanned + at).filter(|at| *at > self.start);
            if let Some(at) = ends.find(|at| self.unread[at - 1] == b'\r') {
                return Ok(Some(at - 1 - self.start));
            }
            scanned = self.unread.len();
            scanned -= self.compact();
            self.flush().await?;
            let n = self.socket.read(&mut self.piece).await?;
            if n == 0 {
                return Ok(None);
            }
            self.unread.extend_from_slice(&self.piece[..n]);
        }
    }

    /// Forgets what was taken; returns by how much everything moved.
    fn compact(&mut self) -> usize {
        let moved = std::mem::take(&mut self.start);
        self.unread.drain(..moved);
        moved
    }

    /// The next octets, as many as were announced; `None` when the client went away before the
    /// last of them.
    pub(super) async fn octets(&mut self, size: usize) -> io::Result<Option<Vec<u8>>> {
        while self.unread.len() - self.start < size {
            self.compact();
            self.flush().await?;
            let n = self.socket.read(&mut self.piece).await?;
            if n == 0 {
                return Ok(None);
            }
            self.unread.extend_from_slice(&self.piece[..n]);
        }
        let octets = self.unread[self.start..self.start + size].to_vec();
        self.start += size;
        Ok(Some(octets))
    }

    /// The lines up to the lone dot, unstuffed; `None` when the client went away before it.
    pub(super) async fn body(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut bytes = Vec::new();
        loop {
            let Some(length) = self.next_line().await? else { return Ok(None) };
            let line = &self.unread[self.start..self.start + length + 2];
            self.start += length + 2;
            if line == b".\r\n" {
                return Ok(Some(bytes));
            }
            bytes.extend_from_slice(line.strip_prefix(b".").unwrap_or(line));
        }
    }
}
