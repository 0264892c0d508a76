//! What the sink remembers of what it took.

use std::fs::File;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::Write;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::script::{Keep, Script};

/// A message the sink has taken responsibility for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// The address of MAIL FROM, empty for the null return path.
    pub return_path: String,
    /// The address of RCPT TO.
    pub recipient: String,
    /// The bytes between DATA and the dot, dots unstuffed; or those of all chunks. Empty unless
    /// [bodies are kept](Keep::Bodies).
    pub bytes: Vec<u8>,
    /// How many bytes there were.
    pub size: usize,
    /// The [digest] of the bytes.
    pub digest: u64,
    /// In how many chunks they came; 0 by DATA.
    pub chunks: usize,
    /// Which connection brought it, counted from 1.
    pub connection: usize,
}

impl Received {
    /// The first header of that name, unfolded lines not joined.
    pub fn header(&self, name: &str) -> Option<String> {
        header(&self.bytes, name)
    }
}

/// A number that differs for different bytes, the same in every run of one build.
pub fn digest(bytes: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    hasher.finish()
}

fn header(message: &[u8], name: &str) -> Option<String> {
    let end = message.windows(4).position(|four| four == b"\r\n\r\n").unwrap_or(message.len());
    let header = String::from_utf8_lossy(&message[..end]);
    header.split("\r\n").find_map(|line| {
        let (key, value) = line.split_once(':')?;
        key.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
    })
}

/// The messages taken, as far as they are kept, and their number.
pub(super) struct Book {
    keep: Keep,
    messages: Mutex<Vec<Received>>,
    count: AtomicUsize,
    record: Option<Mutex<File>>,
}

impl Book {
    pub(super) fn open(script: &Script) -> Self {
        let record = script.record_in.as_ref().map(|path| Mutex::new(File::create(path).unwrap()));
        Self { keep: script.keep, messages: Mutex::default(), count: AtomicUsize::new(0), record }
    }

    /// Takes a message: from here on it counts, whatever becomes of the answer.
    pub(super) fn enter(&self, mut message: Received) {
        if let Some(file) = &self.record {
            let id = message.header("Message-ID").unwrap_or_default();
            let line = format!("{}\t{}\t{}\n", message.recipient, id, message.bytes.len());
            file.lock().unwrap().write_all(line.as_bytes()).unwrap();
        }
        match self.keep {
            Keep::Count => {}
            Keep::Digests => {
                message.digest = digest(&std::mem::take(&mut message.bytes));
                self.messages.lock().unwrap().push(message);
            }
            Keep::Bodies => {
                message.digest = digest(&message.bytes);
                self.messages.lock().unwrap().push(message);
            }
        }
        self.count.fetch_add(1, Ordering::SeqCst);
    }

    pub(super) fn messages(&self) -> Vec<Received> {
        self.messages.lock().unwrap().clone()
    }

    pub(super) fn has(&self, recipient: &str) -> bool {
        self.messages.lock().unwrap().iter().any(|message| message.recipient == recipient)
    }

    pub(super) fn count(&self) -> usize {
        self.count.load(Ordering::SeqCst)
    }
}
