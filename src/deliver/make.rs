//! A claimed delivery, made into the message that leaves.

use std::sync::Arc;

use super::merge::Merge;
use super::spare::Spare;
use crate::dkim::{KeyId, Signers};
use crate::domain::ids::MessageId;
use crate::domain::time::Instant;
use crate::ledger::{Claim, Frozen as FrozenRow, Purpose};
use crate::message::{self, Frozen};
use crate::smtp::{Envelope, EnvelopeId, Outgoing, Reports};

/// A message, and what the ledger keeps of it.
pub(super) struct Made {
    pub frozen: FrozenRow,
    pub outgoing: Outgoing,
}

/// Why a message cannot be made.
pub(super) enum Flaw {
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

/// Makes messages. It computes and nothing else, so it may be asked on any thread.
pub(super) struct Maker {
    pub merge: Merge,
    pub spare: Arc<Spare>,
}

impl Maker {
    /// Whether messages are signed, which costs many times what all else about them does.
    pub fn signs(&self) -> bool {
        !self.merge.signers.is_empty()
    }

    /// Makes the message: from what an earlier attempt froze, or anew.
    pub fn make(&self, claim: &Claim, issue: &Frozen, now: Instant) -> Result<Made, Flaw> {
        let values = match &claim.frozen {
            Some(frozen) => Merge::thawed(claim, frozen).map_err(Flaw::OfTheLedger)?,
            None => self.merge.fresh(claim, issue, now)?,
        };
        let signers = self.signers(claim)?;
        let recipient = values.recipient(&claim.address);
        let buffer = self.spare.take();
        let message = message::assemble_in(buffer, issue, &signers, &recipient, &values.message_id, values.date)
            .map_err(|error| flaw(claim, &error))?;
        let digest = match &claim.frozen {
            Some(frozen) if message.is_known_as(&frozen.digest) => frozen.digest,
            Some(_) | None => message.digest,
        };
        let keys: Vec<&str> = message.keys.iter().map(KeyId::as_str).collect();
        let frozen = FrozenRow {
            date: values.date,
            merge: values.to_json(),
            message_id: message.message_id,
            keys: keys.join(" "),
            digest,
        };
        let envelope = Envelope {
            reports: Reports::Failures(envelope_id(&frozen.message_id)),
            ..Envelope::new(Some(message::return_path(issue).clone()), claim.address.clone())
        };
        let outgoing = Outgoing::new(envelope, message.content).map_err(|error| flaw(claim, &error))?;
        Ok(Made { frozen, outgoing })
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

/// What a failure report calls this copy: the part of its Message-ID that is its own.
fn envelope_id(message_id: &MessageId) -> Option<EnvelopeId> {
    let (own, _) = message_id.as_str().split_once('@')?;
    EnvelopeId::parse(own).ok()
}
