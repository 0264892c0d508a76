//! The one sender: claim, begin, settle, withdraw.

use std::future::Future;
use std::path::Path;

use super::Ledger;
use super::error::LedgerError;
use super::marks::MarkSlot;
use crate::domain::address::Address;
use crate::domain::delivery::{DeliveryState, InDoubtPolicy, Outcome};
use crate::domain::ids::{CampaignId, DeliveryId, Generation, IssueId, MessageId, PostId, SubscriberId};
use crate::domain::reply::Reply;
use crate::domain::time::Instant;

/// One delivery that this sender may work on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// The delivery.
    pub delivery: DeliveryId,
    /// Its campaign.
    pub campaign: CampaignId,
    /// What to send.
    pub issue: IssueId,
    /// The post it is about.
    pub post: PostId,
    /// Which sending of the post.
    pub generation: Generation,
    /// To whom.
    pub subscriber: SubscriberId,
    /// Where.
    pub address: Address,
    /// The name, if known.
    pub name: Option<String>,
    /// The number of the attempt this would be, from 1.
    pub attempt: u32,
    /// Whether it is a first copy, a retry after a proven failure, or a resend in doubt.
    pub purpose: Purpose,
    /// What an earlier attempt froze; present from the second attempt on.
    pub frozen: Option<Frozen>,
    /// When it was first tried.
    pub first_try: Option<Instant>,
    /// How often it was deferred.
    pub failures: u32,
}

/// Why a delivery was claimed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// The relay does not hold a copy: none was sent, or all were refused.
    Send,
    /// The relay may hold a copy: the bytes must be the same, or [`Sender::begin`] holds it.
    Resend,
}

/// What the first `begin` froze in the row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frozen {
    /// The Date header.
    pub date: Instant,
    /// The merge values, as JSON.
    pub merge: String,
    /// The Message-ID.
    pub message_id: MessageId,
    /// The relay it was made for.
    pub relay: String,
    /// SHA-256 of the signed message before dot-stuffing.
    pub digest: [u8; 32],
}

/// One delivery whose final dot is about to leave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Begin {
    /// The delivery.
    pub delivery: DeliveryId,
    /// The attempt, as claimed.
    pub attempt: u32,
    /// What is frozen with it.
    pub frozen: Frozen,
}

/// What [`Sender::begin`] answers, one per delivery in the order asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BeginAnswer {
    /// It is durable: the dot may leave, once marked in this slot.
    Begun {
        /// Where to mark.
        slot: MarkSlot,
    },
    /// Nothing may be sent.
    Refused(Refusal),
}

/// Why a delivery may not begin. The ledger has already moved it accordingly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The address was suppressed meanwhile.
    Suppressed,
    /// The person left meanwhile.
    Unsubscribed,
    /// The campaign was cancelled meanwhile.
    Cancelled,
    /// The campaign was paused meanwhile; the delivery waits.
    Paused,
    /// The campaign's time is over.
    Expired,
    /// A resend would not be byte-identical; it stays in doubt, with the reason.
    DigestDiffers,
    /// It is not claimed by this sender for this attempt.
    NotClaimed,
}

/// What an attempt came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settle {
    /// The delivery.
    pub delivery: DeliveryId,
    /// The attempt, as claimed.
    pub attempt: u32,
    /// What it came to.
    pub outcome: Outcome,
}

/// What became of a [`Settle`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settled {
    /// It stands in the ledger; the delivery is now in that state.
    Recorded(DeliveryState),
    /// The delivery was no longer this sender's, or not in that attempt: its state is
    /// untouched, the outcome is kept as evidence with the attempt.
    Late,
}

/// What is left to send.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Pending {
    /// Can be claimed now.
    pub ready: u64,
    /// Claimed or begun and not settled.
    pub in_hand: u64,
    /// Deferred, due later.
    pub waiting: u64,
    /// The earliest moment at which one of those is due.
    pub next_due: Option<Instant>,
}

/// What a new sender found, and did about it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Recovery {
    /// The epoch of this sender.
    pub epoch: u64,
    /// Deliveries proved unsent: planned again.
    pub planned_again: u64,
    /// Deliveries settled from the reply in the mark file.
    pub settled_from_marks: u64,
    /// Deliveries that came into doubt now.
    pub in_doubt: Vec<DeliveryId>,
    /// Drafts of campaigns discarded.
    pub drafts_discarded: u64,
    /// Why the mark file could not be believed, if it could not.
    pub marks_unusable: Option<String>,
}

/// The right to send. One per state file; dropped or killed, the operating system frees it.
/// `&self` everywhere: share it in an `Arc`.
#[derive(Debug)]
pub struct Sender {}

impl Ledger {
    /// Becomes the sender: takes the lock, checks the file after an unclean end, compares
    /// the `witness` folder (guarantee 8), and recovers in one transaction which also raises
    /// the epoch. Killed in between, the next sender does it all again.
    pub fn become_sender(
        &self,
        policy: InDoubtPolicy,
        witness: Option<&Path>,
        now: Instant,
    ) -> Result<(Sender, Recovery), LedgerError> {
        let _ = (policy, witness, now);
        unimplemented!()
    }
}

impl Sender {
    /// Claims up to `limit` deliveries of planned and running campaigns: planned ones,
    /// deferred ones that are due, and under [`InDoubtPolicy::Resend`] those in doubt that
    /// were not resent yet. Each must come back by `settle` (or the sender by `release`).
    pub fn claim(
        &self,
        limit: usize,
        now: Instant,
    ) -> impl Future<Output = Result<Vec<Claim>, LedgerError>> + Send + 'static {
        let _ = (limit, now, self);
        async { unimplemented!() }
    }

    /// Makes deliveries begun, all checks inside the transaction; durable on return.
    /// Queued at the call; a batch shares its commit with whatever else is queued.
    pub fn begin(
        &self,
        begins: Vec<Begin>,
        now: Instant,
    ) -> impl Future<Output = Result<Vec<BeginAnswer>, LedgerError>> + Send + 'static {
        let _ = (begins, now, self);
        async { unimplemented!() }
    }

    /// Records outcomes; durable when the future resolves. Queued at the call: the future
    /// may be awaited later or dropped. `Withdrawn` also gives back a claim that never began.
    pub fn settle(
        &self,
        settles: Vec<Settle>,
        now: Instant,
    ) -> impl Future<Output = Result<Vec<Settled>, LedgerError>> + Send + 'static {
        let _ = (settles, now, self);
        async { unimplemented!() }
    }

    /// Marks that the next write contains the final dot. Before that write, always.
    pub fn mark_dot(&self, slot: MarkSlot, delivery: DeliveryId, attempt: u32) -> std::io::Result<()> {
        let _ = (slot, delivery, attempt, self);
        unimplemented!()
    }

    /// Marks the reply to the final dot, before it is settled.
    pub fn mark_replied(
        &self,
        slot: MarkSlot,
        delivery: DeliveryId,
        attempt: u32,
        reply: &Reply,
    ) -> std::io::Result<()> {
        let _ = (slot, delivery, attempt, reply, self);
        unimplemented!()
    }

    /// What is left to send in all campaigns that are planned or running.
    pub fn pending(&self, now: Instant) -> Result<Pending, LedgerError> {
        let _ = (now, self);
        unimplemented!()
    }

    /// A clean stop: what is claimed goes back to planned, the clean end is noted.
    pub fn release(self, now: Instant) -> impl Future<Output = Result<(), LedgerError>> + Send + 'static {
        let _ = now;
        async { unimplemented!() }
    }
}
