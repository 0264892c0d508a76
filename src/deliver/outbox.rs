//! The lanes that need no network: a Maildir, and memory.

use std::sync::{Arc, Mutex};
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
pub(super) async fn file_all(worker: &Worker, maildir: &Arc<Maildir>, queue: &Queue) {
    loop {
        let batch = queue.next_many(BATCH).await;
        if batch.is_empty() {
            return;
        }
        match worker.objection(None) {
            Some(why) => batch.into_iter().for_each(|ready| worker.withdraw(ready, why)),
            None => file(worker, batch, Arc::clone(maildir)).await,
        }
    }
}

/// Files messages, and settles them when the folder is synced.
async fn file(worker: &Worker, batch: Vec<Ready>, maildir: Arc<Maildir>) {
    let start = Instant::now();
    let writing = tokio::task::spawn_blocking(move || write(batch, &maildir));
    let filed = writing.await.expect("writing to the outbox does not panic");
    let took = start.elapsed();
    for (ready, error) in filed {
        worker.relay.carry(took);
        let outcome = match error {
            None => Outcome::Accepted { reply: Reply::new(250, "2.0.0 in the outbox") },
            Some(reason) => {
                worker.shared.ask_to_stop(Stop::RelayGone(reason.clone()));
                Outcome::Withdrawn { reason }
            }
        };
        worker.settle(ready, outcome);
    }
}

/// Writes messages into the outbox and syncs it; returns each with what went wrong. Their names
/// come from the Message-ID: a retry that finds one there does not write a second. Blocks.
fn write(batch: Vec<Ready>, maildir: &Maildir) -> Vec<(Ready, Option<String>)> {
    let written: Vec<_> = batch
        .into_iter()
        .map(|ready| {
            let written = maildir.deliver(ready.message_id.as_str(), &ready.outgoing.to_vec());
            (ready, written.err().map(|error| error.to_string()))
        })
        .collect();
    let unsynced = maildir.sync().err().map(|error| error.to_string());
    written.into_iter().map(|(ready, error)| (ready, error.or_else(|| unsynced.clone()))).collect()
}

/// Keeps everything that comes out of the queue.
pub(super) async fn keep_all(worker: &Worker, store: &Mutex<Vec<Vec<u8>>>, queue: &Queue) {
    while let Some(ready) = queue.next().await {
        store.lock().expect("no thread panics while holding this lock").push(ready.outgoing.to_vec());
        worker.settle(ready, Outcome::Accepted { reply: Reply::new(250, "2.0.0 in memory") });
    }
}
