//! Begun deliveries on their way to the lanes of one relay.

use std::sync::Arc;

use tokio::sync::{Mutex, OwnedSemaphorePermit, mpsc};

use super::InHand;
use super::relays::Load;
use crate::domain::ids::MessageId;
use crate::domain::policy::History;
use crate::domain::time::Instant;
use crate::ledger::{Claim, MarkSlot};
use crate::smtp::Outgoing;

/// A delivery that is durably begun and waits for a lane.
pub(super) struct Ready {
    /// What the ledger said of it.
    pub claim: Box<Claim>,
    /// Its slot in the mark file.
    pub slot: MarkSlot,
    /// Its bytes and whom they go to.
    pub outgoing: Outgoing,
    /// The name of an outbox's file: the Message-ID.
    pub message_id: MessageId,
    /// When this attempt was begun.
    pub begun: Instant,
    /// Its piece of the room; dropped when the outcome is durable.
    pub room: OwnedSemaphorePermit,
    /// Its part in the relay's load; dropped when the outcome is known.
    pub load: Load,
    /// Its place among what the run has in hand; dropped when the outcome is durable.
    pub in_hand: InHand,
}

impl Ready {
    /// What the policy wants to know.
    pub fn history(&self) -> History {
        History {
            first_try: self.claim.first_try.unwrap_or(self.begun),
            failures: self.claim.failures,
            spread: self.claim.delivery.0.unsigned_abs(),
        }
    }
}

/// The lanes' end of a queue; a clone takes from the same one. It ends when every sender is
/// gone and nothing is left.
#[derive(Clone)]
pub(super) struct Queue {
    ready: Arc<Mutex<mpsc::Receiver<Ready>>>,
}

impl Queue {
    /// A queue with room for so many.
    pub fn new(room: usize) -> (mpsc::Sender<Ready>, Self) {
        let (sender, receiver) = mpsc::channel(room);
        (sender, Self { ready: Arc::new(Mutex::new(receiver)) })
    }

    /// Waits for the next one; `None` at the end. May be dropped and called again: nothing is lost.
    pub async fn next(&self) -> Option<Ready> {
        self.ready.lock().await.recv().await
    }

    /// The next one if it is there now.
    pub fn try_next(&self) -> Option<Ready> {
        // Whoever holds the lock longer than a moment waits at an empty queue.
        self.ready.try_lock().ok()?.try_recv().ok()
    }

    /// Whether nothing is left and nothing more comes. Whoever waits at the queue hides the
    /// answer until they have it.
    pub fn is_over(&self) -> bool {
        self.ready.try_lock().is_ok_and(|ready| ready.is_closed() && ready.is_empty())
    }

    /// Waits for the next ones, at most so many; none at the end.
    pub async fn next_many(&self, limit: usize) -> Vec<Ready> {
        let mut batch = Vec::new();
        self.ready.lock().await.recv_many(&mut batch, limit).await;
        batch
    }
}
