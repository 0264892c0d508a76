//! What differs from recipient to recipient, and how it is frozen.

use crate::audience::{TokenKey, unsubscribe_url};
use crate::dkim::Signers;
use crate::domain::address::Address;
use crate::domain::ids::MessageId;
use crate::domain::publication::SiteUrl;
use crate::domain::time::Instant;
use crate::ledger::{Claim, Frozen, Secret};
use crate::message::{self, Recipient};

/// The keys and names that recipients' values are made with.
#[derive(Debug)]
pub struct Merge {
    /// Where unsubscribe links lead.
    pub base_url: SiteUrl,
    /// The key of unsubscribe tokens.
    pub unsubscribe_key: TokenKey,
    /// The key of Message-IDs.
    pub message_id_key: Secret,
    /// Who signs.
    pub signers: Signers,
}

/// One recipient's values.
#[derive(Debug, Clone)]
pub(super) struct Values {
    pub message_id: MessageId,
    pub date: Instant,
    merged: Merged,
}

/// The values as the ledger keeps them: a resend uses these, whatever was changed since.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
struct Merged {
    name: Option<String>,
    unsubscribe_url: String,
}

impl Merge {
    /// The values of a first attempt.
    pub(super) fn fresh(&self, claim: &Claim, issue: &message::Frozen, now: Instant) -> Values {
        Values {
            message_id: message::message_id(
                self.message_id_key.bytes(),
                issue,
                &claim.issue,
                claim.subscriber,
                claim.generation,
            ),
            date: now,
            merged: Merged {
                name: claim.name.clone(),
                unsubscribe_url: unsubscribe_url(&self.base_url, &self.unsubscribe_key, claim.subscriber),
            },
        }
    }

    /// The values an earlier attempt froze.
    pub(super) fn thawed(claim: &Claim, frozen: &Frozen) -> Result<Values, String> {
        let merged = serde_json::from_str(&frozen.merge)
            .map_err(|error| format!("the frozen values of delivery {} cannot be read: {error}", claim.delivery.0))?;
        Ok(Values { message_id: frozen.message_id.clone(), date: frozen.date, merged })
    }
}

impl Values {
    pub(super) fn recipient<'a>(&'a self, address: &'a Address) -> Recipient<'a> {
        Recipient { address, name: self.merged.name.as_deref(), unsubscribe_url: &self.merged.unsubscribe_url }
    }

    pub(super) fn to_json(&self) -> String {
        serde_json::to_string(&self.merged).expect("two texts are always JSON")
    }
}
