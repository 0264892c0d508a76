//! Claims and assembles deliveries ahead of the wire.
//!
//! Nothing that is prepared is begun: it may still be given up without a trace. So this stage
//! runs as far ahead as its channel has room, on a thread of its own, since it reads the ledger
//! and computes; signing, which costs most, is spread over all cores.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use rayon::prelude::*;
use tokio::runtime::Handle;
use tokio::sync::mpsc;

use super::merge::Merge;
use super::{DeliverError, InHand, Patience, Shared, Stop};
use crate::dkim::{KeyId, Signers};
use crate::domain::delivery::{DeliveryState, Outcome, Suppress};
use crate::domain::ids::{IssueId, MessageId};
use crate::domain::time::Instant;
use crate::ledger::{Claim, Frozen as FrozenRow, LedgerError, Postpone, Purpose, Settle, Settled};
use crate::message::{self, Frozen, ThawError};
use crate::smtp::{Envelope, EnvelopeId, Outgoing, Reports};

/// So many deliveries are claimed in one go.
const BATCH: usize = 64;
/// So many batches wait to be begun: one in hand, one behind it.
pub(super) const AHEAD: usize = 2;
/// How often the ledger is asked again while there is nothing to claim: a pause, a cancel or a
/// `retry` from another process is seen within this time.
const LOOK_AGAIN: Duration = Duration::from_secs(2);

/// A run stays for what was postponed by no more than this.
const SOON: TimeDelta = TimeDelta::minutes(10);

/// A claimed delivery, assembled.
pub(super) struct Prepared {
    pub claim: Claim,
    pub frozen: FrozenRow,
    pub outgoing: Outgoing,
    pub in_hand: InHand,
}

/// Prepares until there is nothing to send or the run is stopping. Blocks.
pub(super) fn run(shared: &Arc<Shared>, merge: Merge, prepared: &mpsc::Sender<Vec<Prepared>>) {
    let mut preparer = Preparer { shared: Arc::clone(shared), merge, issues: HashMap::new() };
    while !shared.is_stopping() && !prepared.is_closed() {
        // Counted before the claim: what is settled after it may have come back to be claimed.
        let in_hand = shared.in_hand();
        match preparer.next_batch() {
            Ok(None) => {
                if preparer.is_finished(in_hand) {
                    return;
                }
            }
            Ok(Some(batch)) => {
                if prepared.blocking_send(batch).is_err() {
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
    Readable,
    /// Another version of the assembler froze it; the reason says which.
    OfAnotherVersion(String),
}

/// Why a message cannot be made.
enum Flaw {
    /// Something of this copy, which comes again with every try.
    OfTheCopy(String),
    /// The ledger does not hold what it was given: nothing it says of anybody can be relied on.
    OfTheLedger(String),
}

impl From<String> for Flaw {
    fn from(reason: String) -> Self {
        Self::OfTheCopy(reason)
    }
}

struct Preparer {
    shared: Arc<Shared>,
    merge: Merge,
    issues: HashMap<IssueId, Arc<Frozen>>,
}

impl Preparer {
    /// Claims a batch and assembles it; `None` when nothing is due. What cannot be made is
    /// settled here, and what has to wait is given back.
    fn next_batch(&mut self) -> Result<Option<Vec<Prepared>>, DeliverError> {
        let now = self.shared.clock.now();
        let claims = self.shared.sender.claim(BATCH, now)?;
        if claims.is_empty() {
            return Ok(None);
        }
        let mut readable = Vec::with_capacity(claims.len());
        for claim in self.postpone(claims, now)? {
            match self.load_issue(&claim.issue)? {
                Issue::Readable => readable.push(claim),
                Issue::OfAnotherVersion(reason) => self.set_aside(&claim, reason, now)?,
            }
        }
        let claims = readable;
        let made: Vec<_> = if self.merge.signers.is_empty() {
            claims.iter().map(|claim| self.assemble(claim, now)).collect()
        } else {
            claims.par_iter().map(|claim| self.assemble(claim, now)).collect()
        };
        let mut batch = Vec::with_capacity(made.len());
        for (claim, made) in claims.into_iter().zip(made) {
            let in_hand = InHand::new(&self.shared);
            match made {
                Ok((frozen, outgoing)) => batch.push(Prepared { claim, frozen, outgoing, in_hand }),
                Err(Flaw::OfTheCopy(reason)) => self.refuse(&claim, reason, now)?,
                Err(Flaw::OfTheLedger(what)) => return Err(self.damaged(what)),
            }
        }
        Ok(Some(batch))
    }

    /// Gives back what has to wait for its reader's day or its domain; returns the rest. What
    /// is in doubt does not wait.
    fn postpone(&self, claims: Vec<Claim>, now: Instant) -> Result<Vec<Claim>, DeliverError> {
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
            Handle::current().block_on(self.shared.sender.postpone(postponed, now))?;
        }
        Ok(rest)
    }

    /// Reads a frozen issue, which must be as it was frozen: its id is its digest.
    fn load_issue(&mut self, id: &IssueId) -> Result<Issue, DeliverError> {
        if self.issues.contains_key(id) {
            return Ok(Issue::Readable);
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
        self.issues.insert(id.clone(), Arc::new(frozen));
        Ok(Issue::Readable)
    }

    fn damaged(&self, what: String) -> DeliverError {
        LedgerError::Damaged { path: self.shared.ledger.path().to_path_buf(), what }.into()
    }

    /// What only another version can make waits for it: the campaign is paused, and a doubt is
    /// held with the reason.
    fn set_aside(&self, claim: &Claim, reason: String, now: Instant) -> Result<(), DeliverError> {
        self.shared.ledger.pause(&claim.campaign, &reason)?;
        let outcome = match claim.purpose {
            Purpose::Send => Outcome::Withdrawn { reason },
            Purpose::Resend => Outcome::InDoubt { reason },
        };
        let settle = Settle { delivery: claim.delivery, attempt: claim.attempt, outcome };
        Handle::current().block_on(self.shared.sender.settle(vec![settle], now))?;
        Ok(())
    }

    /// Makes the message: from what an earlier attempt froze, or anew.
    fn assemble(&self, claim: &Claim, now: Instant) -> Result<(FrozenRow, Outgoing), Flaw> {
        let issue = &self.issues[&claim.issue];
        let values = match &claim.frozen {
            Some(frozen) => Merge::thawed(claim, frozen).map_err(Flaw::OfTheLedger)?,
            None => self.merge.fresh(claim, issue, now)?,
        };
        let signers = self.signers(claim)?;
        let recipient = values.recipient(&claim.address);
        let message = message::assemble(issue, &signers, &recipient, &values.message_id, values.date)
            .map_err(|error| Self::flaw(claim, &error))?;
        let keys: Vec<&str> = message.keys.iter().map(KeyId::as_str).collect();
        let frozen = FrozenRow {
            date: values.date,
            merge: values.to_json(),
            message_id: message.message_id,
            keys: keys.join(" "),
            digest: message.digest,
        };
        let envelope = Envelope {
            reports: Reports::Failures(envelope_id(&frozen.message_id)),
            ..Envelope::new(Some(message::return_path(issue).clone()), claim.address.clone())
        };
        let outgoing = Outgoing::new(envelope, message.bytes).map_err(|error| Self::flaw(claim, &error))?;
        Ok((frozen, outgoing))
    }

    /// What was made of frozen values once can be made again, unless they are not what was
    /// frozen. A doubt is held all the same, and nobody else waits for it.
    fn flaw(claim: &Claim, error: &dyn std::error::Error) -> Flaw {
        match (&claim.frozen, claim.purpose) {
            (Some(_), Purpose::Send) => {
                Flaw::OfTheLedger(format!("what is frozen of delivery {} makes no message: {error}", claim.delivery.0))
            }
            (Some(_), Purpose::Resend) | (None, _) => Flaw::OfTheCopy(error.to_string()),
        }
    }

    /// Today's keys, but for a copy that a relay may hold already: the keys that signed that one.
    fn signers(&self, claim: &Claim) -> Result<Signers, String> {
        match (&claim.frozen, claim.purpose) {
            (Some(frozen), Purpose::Resend) => {
                let signed = self.merge.signers.that_signed(frozen.keys.split_whitespace());
                signed.map_err(|gone| format!("in doubt; not resent: {gone}"))
            }
            (Some(_) | None, Purpose::Send | Purpose::Resend) => Ok(self.merge.signers.clone()),
        }
    }

    /// A message that cannot be made is a counted outcome with a reason, never a skip. A copy that
    /// a relay may hold already is not rejected by that: its doubt is held.
    fn refuse(&self, claim: &Claim, reason: String, now: Instant) -> Result<(), DeliverError> {
        let outcome = Outcome::Rejected { reply: None, reason, suppress: Suppress::No };
        let settle = Settle { delivery: claim.delivery, attempt: claim.attempt, outcome: outcome.clone() };
        let settled = Handle::current().block_on(self.shared.sender.settle(vec![settle], now))?;
        if settled == [Settled::Recorded(DeliveryState::Rejected)] {
            self.shared.tally.count(&outcome);
        }
        Ok(())
    }

    /// Nothing was due. Waits for what is in hand, since it may come back, and for what was
    /// postponed and comes back soon; then, if the run has the patience, for what is deferred.
    /// `true` when there is nothing to wait for.
    fn is_finished(&self, in_hand: usize) -> bool {
        let now = self.shared.clock.now();
        let next = self.next_postponed(now).filter(|next| *next - now <= SOON && self.shared.clock.runs());
        let waits_for_deferred = self.shared.patience == Patience::WaitForDeferred && self.has_deferred();
        if in_hand == 0 && next.is_none() && !waits_for_deferred {
            return true;
        }
        let pause = next.and_then(|next| (next - now).to_std().ok()).map_or(LOOK_AGAIN, |pause| pause.min(LOOK_AGAIN));
        let mut stop = self.shared.stop.subscribe();
        Handle::current().block_on(async {
            tokio::select! {
                () = self.shared.returned.notified() => {}
                () = tokio::time::sleep(pause) => {}
                _ = stop.wait_for(|stop| *stop != Stop::No) => {}
            }
        });
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

/// What a failure report calls this copy: the part of its Message-ID that is its own.
fn envelope_id(message_id: &MessageId) -> Option<EnvelopeId> {
    let (own, _) = message_id.as_str().split_once('@')?;
    EnvelopeId::parse(own).ok()
}
