//! Claims and assembles deliveries ahead of the wire.
//!
//! Nothing that is prepared is begun: it may still be given up without a trace. So this stage
//! runs as far ahead as its channel has room. Claims are read on a thread of their own, since the
//! disk may let them wait. Copies are made between two looks at the wire, on the same thread:
//! one costs less than waking another thread for it does, and while there are any to make, the
//! wire's thread need not go to sleep over each reply. Signing, which costs most, is spread over
//! all cores, and the next claims are read, and their signing begun, while the last ones are being
//! signed, so that no core waits at the end of a batch.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::make::{Flaw, Made, Maker};
use super::merge::Merge;
use super::{DeliverError, InHand, Patience, Shared, Stop, signing};
use crate::domain::delivery::{DeliveryState, Outcome, Suppress};
use crate::domain::ids::IssueId;
use crate::domain::time::Instant;
use crate::ledger::{Claim, Frozen as FrozenRow, LedgerError, Postpone, Purpose, Settle, Settled};
use crate::message::{Frozen, ThawError};
use crate::smtp::Outgoing;

/// So many deliveries are claimed in one go, and signed as one batch.
const CLAIMS: usize = 128;
/// So many messages that need no signature are made in one go. Few, since what was made long ago has
/// left the processor's cache when it is sent.
const BATCH: usize = 32;
/// After so many of them everybody else has their turn.
const STRETCH: usize = 2;
/// So many batches are signed at once: the second has work for a core that finds none in the first.
const SIGNED_AT_ONCE: usize = 2;
/// So many batches wait to be begun, behind the one in hand.
pub(super) const AHEAD: usize = 1;
/// How often the ledger is asked again while there is nothing to claim: a pause, a cancel or a
/// `retry` from another process is seen within this time.
const LOOK_AGAIN: Duration = Duration::from_secs(2);

/// A run stays for what was postponed by no more than this.
const SOON: TimeDelta = TimeDelta::minutes(10);

/// A claimed delivery, assembled.
pub(super) struct Prepared {
    /// Not within it, since what is prepared is moved from hand to hand.
    pub claim: Box<Claim>,
    pub frozen: FrozenRow,
    pub outgoing: Outgoing,
    pub in_hand: InHand,
}

/// Prepares until there is nothing to send or the run is stopping.
pub(super) async fn run(shared: Arc<Shared>, merge: Merge, prepared: mpsc::Sender<Vec<Prepared>>) {
    let maker = Arc::new(Maker { merge, spare: Arc::clone(&shared.spare) });
    let mut preparer = Preparer {
        shared: Arc::clone(&shared),
        maker,
        issues: HashMap::new(),
        claimed: VecDeque::new(),
        signing: VecDeque::new(),
    };
    while !shared.is_stopping() && !prepared.is_closed() {
        // Counted before the claim: what is settled after it may have come back to be claimed.
        let in_hand = shared.in_hand();
        match preparer.next_batch().await {
            Ok(None) => {
                if preparer.is_finished(in_hand).await {
                    return;
                }
            }
            Ok(Some(batch)) => {
                if prepared.send(batch).await.is_err() {
                    return;
                }
            }
            Err(error) => return shared.break_off(error),
        }
    }
}

/// How the reason of a campaign begins that is held because this program cannot make its mail.
pub const OTHER_VERSION: &str = "this needs another version of fieldpost";

/// Whether an issue can be made into mail.
enum Issue {
    /// It can.
    Readable(Arc<Frozen>),
    /// Another version of the assembler froze it; the reason says which.
    OfAnotherVersion(String),
}

/// A claim with its issue, to be made into a message.
type Claimed = (Box<Claim>, Arc<Frozen>);
/// A claim, and what was made of it.
type Tried = (Box<Claim>, Result<Made, Flaw>);

struct Preparer {
    shared: Arc<Shared>,
    maker: Arc<Maker>,
    issues: HashMap<IssueId, Arc<Frozen>>,
    /// What was claimed and is not made yet.
    claimed: VecDeque<Claimed>,
    /// Batches that are being signed, the oldest first.
    signing: VecDeque<JoinHandle<Vec<Tried>>>,
}

impl Preparer {
    /// Assembles a batch of what is claimed; `None` when nothing is due. What cannot be made is
    /// settled here, and what has to wait is given back.
    async fn next_batch(&mut self) -> Result<Option<Vec<Prepared>>, DeliverError> {
        let now = self.shared.clock.now();
        if !self.maker.signs() {
            if self.claimed.is_empty() && !self.refill(now).await? {
                return Ok(None);
            }
            let tried = self.make(now).await;
            return self.sort_out(tried, now).await.map(Some);
        }
        while self.signing.len() < SIGNED_AT_ONCE && self.refill(now).await? {
            self.sign(now);
        }
        let Some(oldest) = self.signing.pop_front() else { return Ok(None) };
        let tried = oldest.await.expect("signing does not panic");
        self.sort_out(tried, now).await.map(Some)
    }

    /// Claims what is to be made next; `false` when nothing is due. All of it may have to wait.
    async fn refill(&mut self, now: Instant) -> Result<bool, DeliverError> {
        let claims = self.claim(now).await?;
        if claims.is_empty() {
            return Ok(false);
        }
        let claims = self.postpone(claims, now).await?;
        self.claimed = self.with_their_issues(claims, now).await?.into();
        Ok(true)
    }

    /// What can be sent of what was tried.
    async fn sort_out(&self, tried: Vec<Tried>, now: Instant) -> Result<Vec<Prepared>, DeliverError> {
        let mut batch = Vec::with_capacity(tried.len());
        for (claim, made) in tried {
            let in_hand = InHand::new(&self.shared);
            match made {
                Ok(Made { frozen, outgoing }) => batch.push(Prepared { claim, frozen, outgoing, in_hand }),
                Err(Flaw::OfTheCopy(reason)) => self.refuse(&claim, reason, now).await?,
                Err(Flaw::OfTheLedger(what)) => return Err(self.damaged(what)),
            }
        }
        Ok(batch)
    }

    async fn claim(&self, now: Instant) -> Result<Vec<Claim>, LedgerError> {
        let shared = Arc::clone(&self.shared);
        let claiming = tokio::task::spawn_blocking(move || shared.sender.claim(CLAIMS, now));
        claiming.await.expect("reading the ledger does not panic")
    }

    /// Each claim with what to send; what this program cannot make into mail is set aside.
    async fn with_their_issues(&mut self, claims: Vec<Claim>, now: Instant) -> Result<Vec<Claimed>, DeliverError> {
        let mut readable = Vec::with_capacity(claims.len());
        for claim in claims {
            match self.load_issue(&claim.issue)? {
                Issue::Readable(issue) => readable.push((Box::new(claim), issue)),
                Issue::OfAnotherVersion(reason) => self.set_aside(&claim, reason, now).await?,
            }
        }
        Ok(readable)
    }

    /// Makes the next few messages.
    async fn make(&mut self, now: Instant) -> Vec<Tried> {
        let claims = self.claimed.drain(..BATCH.min(self.claimed.len()));
        let mut tried = Vec::with_capacity(claims.len());
        for (claim, issue) in claims {
            let made = self.maker.make(&claim, &issue, now);
            tried.push((claim, made));
            if tried.len() % STRETCH == 0 {
                tokio::task::yield_now().await;
            }
        }
        tried
    }

    /// Begins to make and sign all messages of what is claimed, in its order.
    fn sign(&mut self, now: Instant) {
        let (claims, maker) = (Vec::from(std::mem::take(&mut self.claimed)), Arc::clone(&self.maker));
        let make = move |(claim, issue): Claimed| {
            let made = maker.make(&claim, &issue, now);
            (claim, made)
        };
        let sign = move || signing::on_all_cores(claims, make);
        self.signing.push_back(tokio::task::spawn_blocking(sign));
    }

    /// Gives back what has to wait for its reader's day or its domain; returns the rest. What
    /// is in doubt does not wait.
    async fn postpone(&self, claims: Vec<Claim>, now: Instant) -> Result<Vec<Claim>, DeliverError> {
        let mut rest = Vec::with_capacity(claims.len());
        let mut postponed = Vec::new();
        // What is halted stays claimed, so that it does not come round again in this run.
        for claim in claims.into_iter().filter(|claim| !self.shared.gate.is_halted(&claim.campaign)) {
            match self.shared.gate.wait(&claim, now) {
                Some((until, reason)) => {
                    postponed.push(Postpone { delivery: claim.delivery, until, reason: reason.to_owned() });
                }
                None => rest.push(claim),
            }
        }
        if !postponed.is_empty() {
            self.shared.sender.postpone(postponed, now).await?;
        }
        Ok(rest)
    }

    /// Reads a frozen issue, which must be as it was frozen: its id is its digest.
    fn load_issue(&mut self, id: &IssueId) -> Result<Issue, DeliverError> {
        if let Some(issue) = self.issues.get(id) {
            return Ok(Issue::Readable(Arc::clone(issue)));
        }
        let row = self.shared.ledger.issue(id)?.ok_or_else(|| self.damaged(format!("issue `{id}` is gone")))?;
        let frozen = match Frozen::from_bytes(&row.frozen) {
            Ok(frozen) => frozen,
            Err(error @ ThawError::Version { .. }) => {
                return Ok(Issue::OfAnotherVersion(format!("{OTHER_VERSION}: {error}")));
            }
            Err(error @ ThawError::Syntax(_)) => return Err(self.damaged(error.to_string())),
        };
        if frozen.id() != *id {
            return Err(self.damaged(format!("issue `{id}` is not what was frozen")));
        }
        let issue = Arc::new(frozen);
        self.issues.insert(id.clone(), Arc::clone(&issue));
        Ok(Issue::Readable(issue))
    }

    fn damaged(&self, what: String) -> DeliverError {
        LedgerError::Damaged { path: self.shared.ledger.path().to_path_buf(), what }.into()
    }

    /// What only another version can make waits for it: the campaign is paused, and a doubt is
    /// held with the reason.
    async fn set_aside(&self, claim: &Claim, reason: String, now: Instant) -> Result<(), DeliverError> {
        self.shared.ledger.pause(&claim.campaign, &reason)?;
        let outcome = match claim.purpose {
            Purpose::Send => Outcome::Withdrawn { reason },
            Purpose::Resend => Outcome::InDoubt { reason },
        };
        let settle = Settle { delivery: claim.delivery, attempt: claim.attempt, outcome };
        self.shared.sender.settle(vec![settle], now).await?;
        Ok(())
    }

    /// A message that cannot be made is a counted outcome with a reason, never a skip. A copy that
    /// a relay may hold already is not rejected by that: its doubt is held.
    async fn refuse(&self, claim: &Claim, reason: String, now: Instant) -> Result<(), DeliverError> {
        let outcome = Outcome::Rejected { reply: None, reason, suppress: Suppress::No };
        let settle = Settle { delivery: claim.delivery, attempt: claim.attempt, outcome: outcome.clone() };
        let settled = self.shared.sender.settle(vec![settle], now).await?;
        if settled == [Settled::Recorded(DeliveryState::Rejected)] {
            self.shared.tally.count(&outcome);
        }
        Ok(())
    }

    /// Nothing was due. Waits for what is in hand, since it may come back, and for what was
    /// postponed and comes back soon; then, if the run has the patience, for what is deferred.
    /// `true` when there is nothing to wait for.
    async fn is_finished(&self, in_hand: usize) -> bool {
        let now = self.shared.clock.now();
        let next = self.next_postponed(now).filter(|next| *next - now <= SOON && self.shared.clock.runs());
        let waits_for_deferred = self.shared.patience == Patience::WaitForDeferred && self.has_deferred();
        if in_hand == 0 && next.is_none() && !waits_for_deferred {
            return true;
        }
        let pause = next.and_then(|next| (next - now).to_std().ok()).map_or(LOOK_AGAIN, |pause| pause.min(LOOK_AGAIN));
        let mut stop = self.shared.stop.subscribe();
        self.shared.wanted.notify_one();
        tokio::select! {
            () = self.shared.returned.notified() => {}
            () = tokio::time::sleep(pause) => {}
            _ = stop.wait_for(|stop| *stop != Stop::No) => {}
        }
        false
    }

    fn next_postponed(&self, now: Instant) -> Option<Instant> {
        self.shared.sender.next_postponed(now).unwrap_or_else(|error| {
            self.shared.break_off(error.into());
            None
        })
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
