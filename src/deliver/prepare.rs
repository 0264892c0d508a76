//! Claims and assembles deliveries ahead of the wire.
//!
//! Nothing that is prepared is begun: it may still be given up without a trace. So this stage
//! runs as far ahead as its channel has room. Claims are read on a thread of their own, since the
//! disk may let them wait. Copies are made between two looks at the wire, on the same thread:
//! one costs less than waking another thread for it does, and while there are any to make, the
//! wire's thread need not go to sleep over each reply. Signing, which costs most, is spread over
//! all cores.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use rayon::prelude::*;
use tokio::sync::mpsc;

use super::make::{Flaw, Made, Maker};
use super::merge::Merge;
use super::{DeliverError, InHand, Patience, Shared, Stop};
use crate::domain::delivery::{DeliveryState, Outcome, Suppress};
use crate::domain::ids::IssueId;
use crate::domain::time::Instant;
use crate::ledger::{Claim, Frozen as FrozenRow, LedgerError, Postpone, Purpose, Settle, Settled};
use crate::message::{Frozen, ThawError};
use crate::smtp::Outgoing;

/// So many deliveries are claimed in one go, and signed in one go.
const CLAIMS: usize = 128;
/// So many messages that need no signature are made in one go. Few, since what was made long ago has
/// left the processor's cache when it is sent.
const BATCH: usize = 32;
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
    let claimed = VecDeque::new();
    let mut preparer = Preparer { shared: Arc::clone(&shared), maker, issues: HashMap::new(), claimed };
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

struct Preparer {
    shared: Arc<Shared>,
    maker: Arc<Maker>,
    issues: HashMap<IssueId, Arc<Frozen>>,
    /// What was claimed and is not made yet.
    claimed: VecDeque<(Box<Claim>, Arc<Frozen>)>,
}

impl Preparer {
    /// Assembles a batch of what is claimed; `None` when nothing is due. What cannot be made is
    /// settled here, and what has to wait is given back.
    async fn next_batch(&mut self) -> Result<Option<Vec<Prepared>>, DeliverError> {
        let now = self.shared.clock.now();
        if self.claimed.is_empty() {
            let claims = self.claim(now).await?;
            if claims.is_empty() {
                return Ok(None);
            }
            let claims = self.postpone(claims, now).await?;
            self.claimed = self.with_their_issues(claims, now).await?.into();
        }
        let most = if self.maker.signs() { CLAIMS } else { BATCH };
        let claims: Vec<_> = self.claimed.drain(..most.min(self.claimed.len())).collect();
        let mut batch = Vec::with_capacity(claims.len());
        for (claim, made) in self.make(claims, now).await {
            let in_hand = InHand::new(&self.shared);
            match made {
                Ok(Made { frozen, outgoing }) => batch.push(Prepared { claim, frozen, outgoing, in_hand }),
                Err(Flaw::OfTheCopy(reason)) => self.refuse(&claim, reason, now).await?,
                Err(Flaw::OfTheLedger(what)) => return Err(self.damaged(what)),
            }
        }
        Ok(Some(batch))
    }

    async fn claim(&self, now: Instant) -> Result<Vec<Claim>, LedgerError> {
        let shared = Arc::clone(&self.shared);
        let claiming = tokio::task::spawn_blocking(move || shared.sender.claim(CLAIMS, now));
        claiming.await.expect("reading the ledger does not panic")
    }

    /// Each claim with what to send; what this program cannot make into mail is set aside.
    async fn with_their_issues(
        &mut self,
        claims: Vec<Claim>,
        now: Instant,
    ) -> Result<Vec<(Box<Claim>, Arc<Frozen>)>, DeliverError> {
        let mut readable = Vec::with_capacity(claims.len());
        for claim in claims {
            match self.load_issue(&claim.issue)? {
                Issue::Readable(issue) => readable.push((Box::new(claim), issue)),
                Issue::OfAnotherVersion(reason) => self.set_aside(&claim, reason, now).await?,
            }
        }
        Ok(readable)
    }

    /// Makes the messages, in the order of the claims.
    async fn make(
        &self,
        claims: Vec<(Box<Claim>, Arc<Frozen>)>,
        now: Instant,
    ) -> Vec<(Box<Claim>, Result<Made, Flaw>)> {
        let maker = Arc::clone(&self.maker);
        let make = move |(claim, issue): (Box<Claim>, Arc<Frozen>)| {
            let made = maker.make(&claim, &issue, now);
            (claim, made)
        };
        if self.maker.signs() {
            let signing = tokio::task::spawn_blocking(move || claims.into_par_iter().map(make).collect());
            return signing.await.expect("signing does not panic");
        }
        let mut made = Vec::with_capacity(claims.len());
        for claim in claims {
            made.push(make(claim));
            tokio::task::yield_now().await;
        }
        made
    }

    /// Gives back what has to wait for its reader's day or its domain; returns the rest. What
    /// is in doubt does not wait.
    async fn postpone(&self, claims: Vec<Claim>, now: Instant) -> Result<Vec<Claim>, DeliverError> {
        let mut rest = Vec::with_capacity(claims.len());
        let mut postponed = Vec::new();
        // What is halted stays claimed, so that it does not come round again in this run.
        for claim in claims.into_iter().filter(|claim| !self.shared.gate.is_halted(&claim.campaign)) {
            let wait = match claim.purpose {
                Purpose::Send => self.shared.gate.wait(&claim, now),
                Purpose::Resend => None,
            };
            match wait {
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
