//! A long wire on one machine: a TCP proxy that delays, stalls and cuts.
//!
//! Each direction is a true pipe: what is read is passed on, in order, when it has travelled
//! for the delay, however much is under way meanwhile. So it has the latency of a distant
//! relay and no limit of bandwidth or window. A connection is set up as over such a wire: the
//! far end hears of it after three delays (SYN, SYN-ACK, ACK).
//!
//! A proxy of TCP cannot lose packets; what a lost packet does to the bytes is that they wait,
//! and everything behind them, for its retransmission. That is what [`Loss`] does.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

/// How much is read at once.
const PIECE: usize = 64 * 1024;
/// How long a write that cannot go on waits before it looks whether the connection is broken.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// What the wire is like. The default is a perfect one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Wire {
    /// How long a byte travels, in each direction: half of the round trip.
    pub delay: Duration,
    /// Pieces that come late, in both directions.
    pub loss: Option<Loss>,
    /// Where connections break.
    pub cut: Option<Cut>,
}

/// Lost packets, as the receiver of a TCP stream sees them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Loss {
    /// One piece in so many is lost; which ones is the same in every run.
    pub one_in: u64,
    /// How long its retransmission takes; 200 milliseconds is the least in Linux.
    pub stall: Duration,
}

/// A broken connection: the client's bytes are passed on up to this many, and then both ends
/// see a reset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cut {
    /// How many bytes of the client arrive.
    pub after: u64,
    /// How many connections break; later ones are whole.
    pub times: u64,
}

/// What connections have in common.
struct Shared {
    wire: Wire,
    target: SocketAddr,
    is_closed: AtomicBool,
    connections: AtomicUsize,
    pieces: AtomicU64,
    lost: AtomicUsize,
    cuts: AtomicU64,
    under_way: AtomicUsize,
    most_under_way: AtomicUsize,
}

/// A running proxy on a free port of 127.0.0.1. It takes no new connections once it is dropped.
pub struct Proxy {
    shared: Arc<Shared>,
    port: u16,
}

/// One connection's two ends. They close, and so end, when the last of its threads is done.
struct Link {
    near: TcpStream,
    far: TcpStream,
    is_broken: AtomicBool,
    shared: Arc<Shared>,
}

/// Which way bytes go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Direction {
    ToTarget,
    ToClient,
}

/// Bytes on their way.
enum Piece {
    Bytes { due: Instant, bytes: Vec<u8> },
    End { due: Instant },
    Reset,
}

impl Proxy {
    /// Binds, and returns when connections are taken.
    pub fn start(target: SocketAddr, wire: Wire) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let port = listener.local_addr()?.port();
        let shared = Arc::new(Shared {
            wire,
            target,
            is_closed: AtomicBool::new(false),
            connections: AtomicUsize::new(0),
            pieces: AtomicU64::new(0),
            lost: AtomicUsize::new(0),
            cuts: AtomicU64::new(0),
            under_way: AtomicUsize::new(0),
            most_under_way: AtomicUsize::new(0),
        });
        let serving = Arc::clone(&shared);
        thread::spawn(move || serve(&listener, &serving));
        Ok(Self { shared, port })
    }

    /// Where it listens, on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// How many connections came so far.
    pub fn connection_count(&self) -> usize {
        self.shared.connections.load(Ordering::SeqCst)
    }

    /// How many pieces were lost so far.
    pub fn lost_count(&self) -> usize {
        self.shared.lost.load(Ordering::SeqCst)
    }

    /// How many connections were cut so far.
    pub fn cut_count(&self) -> u64 {
        let limit = self.shared.wire.cut.map_or(0, |cut| cut.times);
        self.shared.cuts.load(Ordering::SeqCst).min(limit)
    }

    /// The most pieces that were on their way at one time, in all connections and directions.
    pub fn most_under_way(&self) -> usize {
        self.shared.most_under_way.load(Ordering::SeqCst)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.is_closed.store(true, Ordering::SeqCst);
        // Wakes the thread that accepts; if that fails it has ended already.
        drop(TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)));
    }
}

fn serve(listener: &TcpListener, shared: &Arc<Shared>) {
    for near in listener.incoming() {
        if shared.is_closed.load(Ordering::SeqCst) {
            return;
        }
        let Ok(near) = near else { continue };
        shared.connections.fetch_add(1, Ordering::SeqCst);
        let shared = Arc::clone(shared);
        thread::spawn(move || {
            thread::sleep(shared.wire.delay * 3);
            if let Ok(far) = TcpStream::connect(shared.target) {
                // A connection that cannot be set up ends here, as connections do.
                drop(Link::join(near, far, shared));
            }
        });
    }
}

impl Link {
    /// Sets the two directions going, each on a thread that reads and one that writes.
    fn join(near: TcpStream, far: TcpStream, shared: Arc<Shared>) -> io::Result<()> {
        for end in [&near, &far] {
            end.set_nodelay(true)?;
            end.set_write_timeout(Some(LOOK_AGAIN))?;
        }
        let cut = shared.wire.cut.filter(|cut| shared.cuts.fetch_add(1, Ordering::SeqCst) < cut.times);
        let link = Arc::new(Self { near, far, is_broken: AtomicBool::new(false), shared });
        for (direction, limit) in [(Direction::ToTarget, cut.map(|cut| cut.after)), (Direction::ToClient, None)] {
            let (pieces, on_the_way) = channel();
            let (reading, writing) = (Arc::clone(&link), Arc::clone(&link));
            thread::spawn(move || reading.read(direction, &pieces, limit));
            thread::spawn(move || writing.write(direction, &on_the_way));
        }
        Ok(())
    }

    fn ends(&self, direction: Direction) -> (&TcpStream, &TcpStream) {
        match direction {
            Direction::ToTarget => (&self.near, &self.far),
            Direction::ToClient => (&self.far, &self.near),
        }
    }

    fn read(&self, direction: Direction, pieces: &Sender<Piece>, limit: Option<u64>) {
        let (mut from, _) = self.ends(direction);
        let mut buffer = vec![0; PIECE];
        let mut left = limit.unwrap_or(u64::MAX);
        let mut latest = Instant::now();
        loop {
            let read = if left == 0 { Err(ErrorKind::ConnectionReset.into()) } else { from.read(&mut buffer) };
            // Nothing overtakes a piece that was lost.
            latest = latest.max(Instant::now() + self.shared.wire.delay + self.shared.stall());
            let piece = match read {
                _ if self.is_broken.load(Ordering::SeqCst) => Piece::Reset,
                Ok(0) => Piece::End { due: latest },
                Ok(n) => {
                    let n = n.min(usize::try_from(left).unwrap_or(usize::MAX));
                    left -= n as u64;
                    Piece::Bytes { due: latest, bytes: buffer[..n].to_vec() }
                }
                Err(_) => Piece::Reset,
            };
            let is_last = matches!(piece, Piece::End { .. } | Piece::Reset);
            self.shared.set_out();
            if pieces.send(piece).is_err() || is_last {
                return;
            }
        }
    }

    fn write(&self, direction: Direction, on_the_way: &Receiver<Piece>) {
        let (_, to) = self.ends(direction);
        for piece in on_the_way {
            let done = match piece {
                Piece::Bytes { due, bytes } => {
                    thread::sleep(due.saturating_duration_since(Instant::now()));
                    self.write_all(to, &bytes)
                }
                Piece::End { due } => {
                    thread::sleep(due.saturating_duration_since(Instant::now()));
                    to.shutdown(Shutdown::Write)
                }
                Piece::Reset => Err(ErrorKind::ConnectionReset.into()),
            };
            self.shared.under_way.fetch_sub(1, Ordering::SeqCst);
            if done.is_err() {
                return self.reset();
            }
        }
    }

    /// Writes everything, unless the connection breaks meanwhile.
    fn write_all(&self, mut to: &TcpStream, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            match to.write(bytes) {
                Ok(n) => bytes = &bytes[n..],
                Err(error) if self.is_broken.load(Ordering::SeqCst) => return Err(error),
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Lets both ends close with a reset (RST), and wakes the threads that read from them.
    fn reset(&self) {
        self.is_broken.store(true, Ordering::SeqCst);
        for end in [&self.near, &self.far] {
            // An error means that it has ended already.
            let _ = rustix::net::sockopt::set_socket_linger(end, Some(Duration::ZERO));
            drop(end.shutdown(Shutdown::Read));
        }
    }
}

impl Shared {
    fn set_out(&self) {
        let now = self.under_way.fetch_add(1, Ordering::SeqCst) + 1;
        self.most_under_way.fetch_max(now, Ordering::SeqCst);
    }

    /// How long the next piece waits for its retransmission.
    fn stall(&self) -> Duration {
        let Some(loss) = self.wire.loss else { return Duration::ZERO };
        let number = self.pieces.fetch_add(1, Ordering::SeqCst) + 1;
        if !number.is_multiple_of(loss.one_in) {
            return Duration::ZERO;
        }
        self.lost.fetch_add(1, Ordering::SeqCst);
        loss.stall
    }
}
