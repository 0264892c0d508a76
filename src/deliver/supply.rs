//! Claims, assembles and begins deliveries ahead of the wire.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, mpsc, watch};

use super::merge::Merge;
use super::{DeliverError, Patience, Shared, Stop};
use crate::domain::delivery::{Outcome, Suppress};
use crate::domain::ids::IssueId;
use crate::domain::policy::History;
use crate::domain::time::Instant;
use crate::ledger::{Begin, BeginAnswer, Claim, Frozen as FrozenRow, MarkSlot, Refusal, Settle};
use crate::message::{self, Frozen, Message};
use crate::smtp::Envelope;

/// So many deliveries are claimed and begun in one go: enough to fill a group commit.
const BATCH: usize = 64;
/// How long a look at the room waits at most for the next settle.
const BREATH: Duration = Duration::from_millis(50);
/// How often the ledger is asked again while deferred deliveries are waited for: a pause, a
/// cancel or a `retry` from another process is seen within this time.
const LOOK_AGAIN: Duration = Duration::from_secs(2);

/// A delivery that is durably begun and waits for a lane.
pub(super) struct Ready {
    /// What the ledger said of it.
    pub claim: Claim,
    /// Its slot in the mark file.
    pub slot: MarkSlot,
    /// Whom it goes to.
    pub envelope: Envelope,
    /// Its bytes.
    pub message: Message,
    /// When this attempt was begun.
    pub begun: Instant,
    /// Its piece of the room; dropped when the outcome is durable.
    pub room: OwnedSemaphorePermit,
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

/// Keeps the queue full until there is nothing to send or the run is stopping, then closes it.
pub(super) async fn run(shared: Arc<Shared>, merge: Merge, relay: String, queue: mpsc::Sender<Ready>) {
    let mut supply = Supply { shared: Arc::clone(&shared), merge, relay, issues: HashMap::new() };
    let mut stop = shared.stop.subscribe();
    while !shared.is_stopping() {
        match supply.fill(&queue).await {
            Ok(Filled::LookAgain) => {}
            Ok(Filled::NothingDue { in_hand }) => {
                if supply.is_finished(in_hand, &mut stop).await {
                    return;
                }
            }
            Err(error) => return shared.break_off(error),
        }
    }
}

enum Filled {
    LookAgain,
    /// Nothing could be claimed; so many deliveries were in hand before the claim.
    NothingDue {
        in_hand: usize,
    },
}

/// A claimed delivery, assembled.
struct Assembled {
    claim: Claim,
    frozen: FrozenRow,
    message: Message,
    envelope: Envelope,
}

struct Supply {
    shared: Arc<Shared>,
    merge: Merge,
    relay: String,
    issues: HashMap<IssueId, Arc<Frozen>>,
}

impl Supply {
    /// Takes one batch from claim to queue, no larger than the room allows.
    async fn fill(&mut self, queue: &mpsc::Sender<Ready>) -> Result<Filled, DeliverError> {
        let mut rooms = self.rooms().await;
        if rooms.is_empty() {
            return Ok(Filled::LookAgain);
        }
        // Counted before the claim: what is settled after it may have come back to be claimed.
        let in_hand = self.shared.in_hand() - rooms.len();
        let now = self.shared.clock.now();
        let claims = tokio::task::block_in_place(|| self.shared.sender.claim(rooms.len(), now))?;
        if claims.is_empty() {
            return Ok(Filled::NothingDue { in_hand });
        }
        let mut assembled = Vec::with_capacity(claims.len());
        for claim in claims {
            match self.assemble(&claim, now)? {
                Ok(ready) => assembled.push(ready),
                Err(reason) => self.refuse(&claim, reason, now).await?,
            }
        }
        let begins = assembled.iter().map(|one| self.begin_of(one)).collect();
        let answers = self.shared.sender.begin(begins, now).await?;
        for (one, answer) in assembled.into_iter().zip(answers) {
            let room = rooms.pop().expect("no more is claimed than there is room for");
            self.enqueue(one, answer, room, now, queue).await?;
        }
        Ok(Filled::LookAgain)
    }

    /// Waits until the pace allows at least one more delivery, then takes as much of the room
    /// as it allows, up to a batch.
    async fn rooms(&self) -> Vec<OwnedSemaphorePermit> {
        let room = &self.shared.room;
        let mut rooms = Vec::new();
        while rooms.is_empty() && !self.shared.is_stopping() {
            let allowed = self.shared.pace.allowed(tokio::time::Instant::now());
            while self.shared.in_hand() < allowed
                && rooms.len() < BATCH
                && let Ok(piece) = Arc::clone(room).try_acquire_owned()
            {
                rooms.push(piece);
            }
            if rooms.is_empty() {
                // What was settled long enough ago no longer counts for the pace: look again
                // even when nothing rings.
                drop(tokio::time::timeout(BREATH, self.shared.settled.notified()).await);
            }
        }
        rooms
    }

    /// Makes the message: from what an earlier attempt froze, or anew. The inner error is a
    /// message that cannot be made, with the reason.
    fn assemble(&mut self, claim: &Claim, now: Instant) -> Result<Result<Assembled, String>, DeliverError> {
        let issue = self.issue(&claim.issue)?;
        let values = match &claim.frozen {
            Some(frozen) => Merge::thawed(claim, frozen),
            None => Ok(self.merge.fresh(claim, &issue, now)),
        };
        let values = match values {
            Ok(values) => values,
            Err(reason) => return Ok(Err(reason)),
        };
        let recipient = values.recipient(&claim.address);
        let made = message::assemble(&issue, &self.merge.signers, &recipient, &values.message_id, values.date);
        Ok(made.map_err(|error| error.to_string()).map(|message| {
            let frozen = FrozenRow {
                date: values.date,
                merge: values.to_json(),
                message_id: values.message_id.clone(),
                keys: String::new(),
                digest: message.digest,
            };
            let envelope = Envelope::new(Some(message::return_path(&issue).clone()), claim.address.clone());
            Assembled { claim: claim.clone(), frozen, message, envelope }
        }))
    }

    fn issue(&mut self, id: &IssueId) -> Result<Arc<Frozen>, DeliverError> {
        if let Some(issue) = self.issues.get(id) {
            return Ok(Arc::clone(issue));
        }
        let row = self.shared.ledger.issue(id)?.ok_or_else(|| DeliverError::Issue(format!("issue `{id}` is gone")))?;
        let frozen = Frozen::from_bytes(&row.frozen).map_err(|error| DeliverError::Issue(error.to_string()))?;
        let issue = Arc::new(frozen);
        self.issues.insert(id.clone(), Arc::clone(&issue));
        Ok(issue)
    }

    /// A message that cannot be made is a counted outcome with a reason, never a skip.
    async fn refuse(&self, claim: &Claim, reason: String, now: Instant) -> Result<(), DeliverError> {
        let outcome = Outcome::Rejected { reply: None, reason, suppress: Suppress::No };
        self.shared.tally.count(&outcome);
        let settle = Settle { delivery: claim.delivery, attempt: claim.attempt, outcome };
        self.shared.sender.settle(vec![settle], now).await?;
        Ok(())
    }

    fn begin_of(&self, one: &Assembled) -> Begin {
        Begin {
            delivery: one.claim.delivery,
            campaign: one.claim.campaign.clone(),
            attempt: one.claim.attempt,
            relay: self.relay.clone(),
            frozen: one.frozen.clone(),
        }
    }

    async fn enqueue(
        &self,
        one: Assembled,
        answer: BeginAnswer,
        room: OwnedSemaphorePermit,
        begun: Instant,
        queue: &mpsc::Sender<Ready>,
    ) -> Result<(), DeliverError> {
        match answer {
            BeginAnswer::Begun { slot } => {
                let Assembled { claim, message, envelope, .. } = one;
                let ready = Ready { claim, slot, envelope, message, begun, room };
                queue.send(ready).await.map_err(|_| DeliverError::Issue("every lane has ended".to_owned()))
            }
            BeginAnswer::Refused(Refusal::Paused | Refusal::NotClaimed) => Ok(()),
            BeginAnswer::Refused(
                Refusal::Suppressed
                | Refusal::Unsubscribed
                | Refusal::Cancelled
                | Refusal::Expired
                | Refusal::DigestDiffers,
            ) => {
                self.shared.tally.count_excluded();
                Ok(())
            }
        }
    }

    /// Nothing was due. Waits for what is in hand, since it may come back; then, if the run
    /// has the patience, for what is deferred. `true` when there is nothing to wait for.
    async fn is_finished(&self, in_hand: usize, stop: &mut watch::Receiver<Stop>) -> bool {
        let waits_for_deferred = self.shared.patience == Patience::WaitForDeferred && self.has_deferred();
        if in_hand == 0 && !waits_for_deferred {
            return true;
        }
        tokio::select! {
            () = self.shared.settled.notified() => {}
            () = tokio::time::sleep(LOOK_AGAIN) => {}
            _ = stop.wait_for(|stop| *stop != Stop::No) => {}
        }
        false
    }

    fn has_deferred(&self) -> bool {
        match self.shared.sender.pending(self.shared.clock.now()) {
            Ok(pending) => pending.waiting + pending.ready > 0,
            Err(error) => {
                self.shared.break_off(error.into());
                false
            }
        }
    }
}
