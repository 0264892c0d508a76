//! The lanes that need no network: a Maildir, and memory.

use std::sync::Mutex;
use std::time::Instant;

use super::Stop;
use super::queue::{Queue, Ready};
use super::worker::Worker;
use crate::domain::delivery::Outcome;
use crate::domain::reply::Reply;
use crate::files::Maildir;

/// So many messages are filed before the folder is synced, once for all.
pub(super) const BATCH: usize = 32;

/// Files everything that comes out of the queue.
pub(super) async fn file_all(worker: &Worker, maildir: &Maildir, queue: &Queue) {
    loop {
        let batch = queue.next_many(BATCH).await;
        if batch.is_empty() {
            return;
        }
        match worker.objection(None) {
            Some(why) => batch.into_iter().for_each(|ready| worker.withdraw(ready, why)),
            None => file(worker, batch, maildir),
        }
    }
}

/// Writes messages into the outbox. Their names come from the Message-ID: a retry that finds
/// one there settles without writing a second. Nothing is settled before the folder is synced.
fn file(worker: &Worker, batch: Vec<Ready>, maildir: &Maildir) {
    let start = Instant::now();
    let filed: Vec<_> = batch
        .into_iter()
        .map(|ready| {
            let filed = maildir.deliver(&ready.message_id, ready.outgoing.bytes());
            (ready, filed.err())
        })
        .collect();
    let unsynced = maildir.sync().err();
    let took = start.elapsed();
    for (ready, error) in filed {
        worker.relay.carry(took);
        let outcome = match error.as_ref().or(unsynced.as_ref()) {
            None => Outcome::Accepted { reply: Reply::new(250, "2.0.0 in the outbox") },
            Some(error) => {
                worker.shared.ask_to_stop(Stop::RelayGone(error.to_string()));
                Outcome::Withdrawn { reason: error.to_string() }
            }
        };
        worker.settle(ready, outcome);
    }
}

/// Keeps everything that comes out of the queue.
pub(super) async fn keep_all(worker: &Worker, store: &Mutex<Vec<Vec<u8>>>, queue: &Queue) {
    while let Some(ready) = queue.next().await {
        store.lock().expect("no thread panics while holding this lock").push(ready.outgoing.bytes().to_vec());
        worker.settle(ready, Outcome::Accepted { reply: Reply::new(250, "2.0.0 in memory") });
    }
}
