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

mod certificate;
mod chunks;
mod conversation;
pub mod script;
mod wire;

use std::collections::HashSet;
use std::fs::File;
use std::io::Write;
use std::net::{Ipv4Addr, TcpListener};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tokio::runtime::Runtime;
use tokio_rustls::TlsAcceptor;

use certificate::Identity;
use conversation::Conversation;
pub use script::{Certificate, Encryption, Fault, Lie, Login, Loss, Script, is_chosen};

/// A message the sink has taken responsibility for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// The address of MAIL FROM, empty for the null return path.
    pub return_path: String,
    /// The address of RCPT TO.
    pub recipient: String,
    /// The bytes between DATA and the dot, dots unstuffed; or those of all chunks.
    pub bytes: Vec<u8>,
    /// In how many chunks they came; 0 by DATA.
    pub chunks: usize,
    /// Which connection brought it, counted from 1.
    pub connection: usize,
}

impl Received {
    /// The first header of that name, unfolded lines not joined.
    pub fn header(&self, name: &str) -> Option<String> {
        let text = String::from_utf8_lossy(&self.bytes);
        let header = text.split("\r\n\r\n").next().unwrap_or_default();
        header.split("\r\n").find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
        })
    }
}

/// What connections have in common.
struct Shared {
    script: Script,
    acceptor: TlsAcceptor,
    messages: Mutex<Vec<Received>>,
    record: Option<Mutex<File>>,
    commands: Mutex<Vec<String>>,
    logins: AtomicUsize,
    connections: AtomicUsize,
    turns: Arc<AtomicUsize>,
    seen: Mutex<HashSet<String>>,
}

impl Shared {
    /// Takes a message: from here on it counts, whatever becomes of the answer.
    fn accept(&self, message: Received) {
        if let Some(file) = &self.record {
            let id = message.header("Message-ID").unwrap_or_default();
            let line = format!("{}\t{}\t{}\n", message.recipient, id, message.bytes.len());
            file.lock().unwrap().write_all(line.as_bytes()).unwrap();
        }
        self.messages.lock().unwrap().push(message);
    }

    /// Whether the account has been closed meanwhile.
    fn is_login_revoked(&self) -> bool {
        let taken = self.messages.lock().unwrap().len();
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
    /// Binds, and returns when connections are taken.
    pub fn start(script: Script) -> Self {
        let identity = Identity::make(script.encryption.certificate());
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        listener.set_nonblocking(true).unwrap();
        let port = listener.local_addr().unwrap().port();
        let record = script.record_in.as_ref().map(|path| Mutex::new(File::create(path).unwrap()));
        let shared = Arc::new(Shared {
            script,
            acceptor: identity.acceptor,
            messages: Mutex::default(),
            record,
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

    /// Everything taken so far, in order.
    pub fn messages(&self) -> Vec<Received> {
        self.shared.messages.lock().unwrap().clone()
    }

    /// How many messages were taken so far, those of lost answers included.
    pub fn accepted_count(&self) -> usize {
        self.shared.messages.lock().unwrap().len()
    }

    /// Every command line read so far, of all connections; of AUTH only the mechanism.
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
