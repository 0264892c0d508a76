//! A relay for tests: it records, it answers as scripted, and it can be as bad as any.
//!
//! Every message is recorded, in memory and if wished in a file, **before** its `250` is
//! written: what the client was told is a subset of what is here, however the client dies. It
//! runs on threads of its own, so it outlives any process under test.
//!
//! What happens to a message is chosen by the recipient's local part (see
//! [`Behaviour`](script::Behaviour)), what happens to a connection by the [`Script`].
//!
//! ```ignore
//! let sink = Sink::start(Script::default());
//! // ... deliver to 127.0.0.1, sink.port(), for ada@, 550-bob@, once-tempfail-cy@ ...
//! assert_eq!(sink.accepted_count(), 2);
//! ```

mod book;
mod certificate;
mod chunks;
mod conversation;
pub mod script;
mod text;
mod wire;

use std::collections::HashSet;
use std::net::{Ipv4Addr, TcpListener};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tokio::runtime::Runtime;
use tokio_rustls::TlsAcceptor;

use book::Book;
pub use book::{Received, digest};
use certificate::Identity;
use conversation::Conversation;
pub use script::{Certificate, Encryption, Fault, Keep, Lie, Login, Loss, Script, is_chosen};

/// What connections have in common.
struct Shared {
    script: Script,
    acceptor: TlsAcceptor,
    book: Book,
    commands: Mutex<Vec<String>>,
    logins: AtomicUsize,
    connections: AtomicUsize,
    turns: Arc<AtomicUsize>,
    seen: Mutex<HashSet<String>>,
}

impl Shared {
    /// Whether the account has been closed meanwhile.
    fn is_login_revoked(&self) -> bool {
        let taken = self.book.count();
        self.script.faults.iter().any(|fault| matches!(fault, Fault::RevokeLogin(after) if taken >= *after))
    }

    /// Whether something happens to this recipient for the first time.
    fn is_first(&self, what: &str, recipient: &str) -> bool {
        self.seen.lock().unwrap().insert(format!("{what} {recipient}"))
    }
}

/// A running relay on a free port of 127.0.0.1; it stops when it is dropped.
pub struct Sink {
    shared: Arc<Shared>,
    runtime: Option<Runtime>,
    port: u16,
    ca_pem: Vec<u8>,
}

impl Sink {
    /// Binds any free port, and returns when connections are taken.
    pub fn start(script: Script) -> Self {
        Self::start_on(script, 0)
    }

    /// Binds that port, or with 0 any free one, and returns when connections are taken.
    pub fn start_on(script: Script, port: u16) -> Self {
        let identity = Identity::make(script.encryption.certificate());
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).unwrap();
        listener.set_nonblocking(true).unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::new(Shared {
            book: Book::open(&script),
            script,
            acceptor: identity.acceptor,
            commands: Mutex::default(),
            logins: AtomicUsize::new(0),
            connections: AtomicUsize::new(0),
            turns: Arc::default(),
            seen: Mutex::default(),
        });
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.spawn(serve(listener, Arc::clone(&shared)));
        Self { shared, runtime: Some(runtime), port, ca_pem: identity.ca_pem }
    }

    /// Where it listens, on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The authority that signed its certificate.
    pub fn ca_pem(&self) -> &[u8] {
        &self.ca_pem
    }

    /// Everything taken so far, in order; nothing when [nothing is kept](Keep::Count).
    pub fn messages(&self) -> Vec<Received> {
        self.shared.book.messages()
    }

    /// How many messages were taken so far, those of lost answers included.
    pub fn accepted_count(&self) -> usize {
        self.shared.book.count()
    }

    /// Whether a message for that address was taken so far; not when only [counting](Keep::Count).
    pub fn has_taken(&self, recipient: &str) -> bool {
        self.shared.book.has(recipient)
    }

    /// Every command line read so far, of all connections; of AUTH only the mechanism. Kept
    /// only beside [bodies](Keep::Bodies).
    pub fn commands(&self) -> Vec<String> {
        self.shared.commands.lock().unwrap().clone()
    }

    /// How often credentials of any kind, right or wrong, have arrived.
    pub fn login_count(&self) -> usize {
        self.shared.logins.load(Ordering::SeqCst)
    }

    /// How often a connection answered and then had to wait for the client: round trips.
    pub fn turn_count(&self) -> usize {
        self.shared.turns.load(Ordering::SeqCst)
    }

    /// How many connections were opened so far.
    pub fn connection_count(&self) -> usize {
        self.shared.connections.load(Ordering::SeqCst)
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    let listener = tokio::net::TcpListener::from_std(listener).unwrap();
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        stream.set_nodelay(true).unwrap();
        let number = shared.connections.fetch_add(1, Ordering::SeqCst) + 1;
        let conversation = Conversation::new(stream, Arc::clone(&shared), number);
        // A client that dies or misbehaves is a matter of its own connection.
        tokio::spawn(async move { conversation.run().await.unwrap_or_default() });
    }
}
