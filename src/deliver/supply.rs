//! Begins prepared deliveries, as far ahead of the wire as the pace allows.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, mpsc};

use super::prepare::Prepared;
use super::queue::Ready;
use super::relays::Load;
use super::{DeliverError, Shared};
use crate::domain::time::Instant;
use crate::ledger::{Begin, BeginAnswer, Refusal};

/// How long a look at the room waits at most for the next settle.
const BREATH: Duration = Duration::from_millis(50);

/// Begins what was prepared until nothing more comes or the run is stopping, then closes the
/// queues, of which each place has one. Several begins are under way at once: each waits for its
/// own commit.
pub(super) async fn run(
    shared: Arc<Shared>,
    mut prepared: mpsc::Receiver<Vec<Prepared>>,
    queues: Vec<mpsc::Sender<Ready>>,
) {
    while let Some(mut batch) = prepared.recv().await {
        while !batch.is_empty() {
            let rooms = rooms(&shared, batch.len()).await;
            if rooms.is_empty() {
                return;
            }
            let rest = batch.split_off(rooms.len());
            begin(&shared, batch.into_iter().zip(rooms).collect(), &queues);
            batch = rest;
        }
    }
}

/// Queues the begins of some deliveries with the ledger; those that have begun go to the queue
/// of their relay when the commit is durable.
fn begin(shared: &Arc<Shared>, batch: Vec<(Prepared, OwnedSemaphorePermit)>, queues: &[mpsc::Sender<Ready>]) {
    let now = shared.clock.now();
    let beginnings: Vec<Beginning> = batch
        .into_iter()
        .map(|(prepared, room)| {
            let (number, relay) = shared.relays.choose(tokio::time::Instant::now());
            Beginning { prepared, room, load: Load::on(relay), queue: queues[number].clone() }
        })
        .collect();
    let answers = shared.sender.begin(beginnings.iter().map(Beginning::ask).collect(), now);
    let shared = Arc::clone(shared);
    tokio::spawn(async move {
        match answers.await {
            Ok(answers) => {
                for (one, answer) in beginnings.into_iter().zip(answers) {
                    one.take(&shared, answer, now).await;
                }
            }
            Err(error) => shared.break_off(error.into()),
        }
    });
}

/// A delivery whose begin is being committed.
struct Beginning {
    prepared: Prepared,
    room: OwnedSemaphorePermit,
    load: Load,
    queue: mpsc::Sender<Ready>,
}

impl Beginning {
    fn ask(&self) -> Begin {
        let Prepared { claim, frozen, .. } = &self.prepared;
        Begin {
            delivery: claim.delivery,
            campaign: claim.campaign.clone(),
            attempt: claim.attempt,
            relay: self.load.relay().to_owned(),
            frozen: frozen.clone(),
        }
    }

    async fn take(self, shared: &Shared, answer: BeginAnswer, begun: Instant) {
        match answer {
            BeginAnswer::Begun { slot } => {
                let Prepared { claim, frozen, outgoing, in_hand } = self.prepared;
                let message_id = frozen.message_id.as_str().to_owned();
                let ready =
                    Ready { claim, slot, outgoing, message_id, begun, room: self.room, load: self.load, in_hand };
                if self.queue.send(ready).await.is_err() {
                    shared.break_off(DeliverError::Issue("every lane has ended".to_owned()));
                }
            }
            BeginAnswer::Refused(Refusal::Paused | Refusal::NotClaimed) => {}
            BeginAnswer::Refused(
                Refusal::Suppressed
                | Refusal::Unsubscribed
                | Refusal::Cancelled
                | Refusal::Expired
                | Refusal::DigestDiffers,
            ) => shared.tally.count_excluded(),
        }
    }
}

/// Waits until the pace allows at least one more delivery, then takes as much of the room as
/// it allows, up to `wanted`. Nothing when the run is stopping.
async fn rooms(shared: &Shared, wanted: usize) -> Vec<OwnedSemaphorePermit> {
    let mut rooms = Vec::new();
    while rooms.is_empty() && !shared.is_stopping() {
        let allowed = shared.pace.allowed();
        while shared.begun() < allowed
            && rooms.len() < wanted
            && let Ok(piece) = Arc::clone(&shared.room).try_acquire_owned()
        {
            rooms.push(piece);
        }
        if rooms.is_empty() {
            // The pace may allow more although nothing was settled.
            drop(tokio::time::timeout(BREATH, shared.settled.notified()).await);
        }
    }
    rooms
}
