//! What differs from recipient to recipient, and how it is frozen.

use std::collections::HashMap;

use crate::audience::{TokenKey, preferences_url, unsubscribe_url};
use crate::dkim::Signers;
use crate::domain::address::Address;
use crate::domain::ids::MessageId;
use crate::domain::issue::Slot;
use crate::domain::publication::SiteUrl;
use crate::domain::time::Instant;
use crate::ledger::{Claim, Frozen};
use crate::message::{self, MessageIdKey, Recipient};

/// The keys and names that recipients' values are made with.
#[derive(Debug)]
pub struct Merge {
    /// Where unsubscribe links lead.
    pub base_url: SiteUrl,
    /// The key of unsubscribe tokens.
    pub unsubscribe_key: TokenKey,
    /// The key of Message-IDs.
    pub message_id_key: MessageIdKey,
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
    /// Those that the issue uses beyond these two, as far as the subscriber has them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    values: Vec<(Slot, String)>,
}

impl Merge {
    /// The values of a first attempt.
    pub(super) fn fresh(&self, claim: &Claim, issue: &message::Frozen, now: Instant) -> Result<Values, String> {
        Ok(Values {
            message_id: message::message_id(
                &self.message_id_key,
                issue,
                &claim.issue,
                claim.subscriber,
                claim.generation,
            ),
            date: now,
            merged: Merged {
                name: claim.name.clone(),
                unsubscribe_url: unsubscribe_url(&self.base_url, &self.unsubscribe_key, claim.subscriber),
                values: self.values(claim, issue)?,
            },
        })
    }

    /// The values of the issue's other slots. The list's attributes are read only if one is used.
    fn values(&self, claim: &Claim, issue: &message::Frozen) -> Result<Vec<(Slot, String)>, String> {
        let mut attributes: Option<HashMap<String, String>> = None;
        let mut values: Vec<(Slot, String)> = Vec::new();
        for slot in issue.slots() {
            if values.iter().any(|(known, _)| known == slot) {
                continue;
            }
            let value = match slot {
                Slot::PreferencesUrl => Some(preferences_url(&self.base_url, &self.unsubscribe_key, claim.subscriber)),
                Slot::Attribute(name) => {
                    let known = attributes.take().map_or_else(|| read_attributes(claim), Ok)?;
                    attributes.insert(known).remove(name)
                }
                Slot::UnsubscribeUrl | Slot::SubscriberName | Slot::SubscriberAddress => None,
            };
            values.extend(value.map(|value| (slot.clone(), value)));
        }
        Ok(values)
    }

    /// The values an earlier attempt froze.
    pub(super) fn thawed(claim: &Claim, frozen: &Frozen) -> Result<Values, String> {
        let merged = serde_json::from_str(&frozen.merge)
            .map_err(|error| format!("the frozen values of delivery {} cannot be read: {error}", claim.delivery.0))?;
        Ok(Values { message_id: frozen.message_id.clone(), date: frozen.date, merged })
    }
}

fn read_attributes(claim: &Claim) -> Result<HashMap<String, String>, String> {
    serde_json::from_str(&claim.attributes)
        .map_err(|error| format!("what the list says of subscriber {} cannot be read: {error}", claim.subscriber.0))
}

impl Values {
    pub(super) fn recipient<'a>(&'a self, address: &'a Address) -> Recipient<'a> {
        let Merged { name, unsubscribe_url, values } = &self.merged;
        Recipient { address, name: name.as_deref(), unsubscribe_url, values }
    }

    pub(super) fn to_json(&self) -> String {
        serde_json::to_string(&self.merged).expect("texts are always JSON")
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::domain::ids::Generation;
    use crate::domain::issue::Issue;
    use crate::domain::subscriber::{Cadence, Enrolment};
    use crate::domain::time::from_millis;
    use crate::ledger::{IssueRow, Ledger, NewCampaign, Terms};
    use crate::message::samples::{NONCE, issue, publication};

    fn now() -> Instant {
        from_millis(1_790_000_000_000)
    }

    fn ada(name: &str, city: &str) -> Enrolment {
        Enrolment {
            address: Address::parse("ada@example.net").unwrap(),
            name: Some(name.to_owned()),
            topics: Vec::new(),
            cadence: Cadence::Every,
            attributes: BTreeMap::from([("city".to_owned(), city.to_owned()), ("age".to_owned(), "36".to_owned())]),
            source: "file".to_owned(),
        }
    }

    /// The claim of the one delivery of an issue.
    fn claim(ledger: &Ledger, frozen: &message::Frozen) -> Claim {
        let issue = issue();
        let row = IssueRow {
            id: frozen.id(),
            post: issue.post.clone(),
            subject: issue.subject,
            frozen: frozen.to_bytes(),
            web_url: issue.web_url,
            commit: None,
        };
        ledger.freeze_issue(&row).unwrap();
        let (post, generation) = (issue.post, Generation::FIRST);
        let audience = ledger.resolve_audience(&[], &post, generation).unwrap();
        let new = NewCampaign {
            post,
            carried: Vec::new(),
            issue: row.id,
            generation,
            audience,
            not_before: None,
            expires: None,
        };
        ledger.open_campaign(&new, now()).unwrap();
        let (sender, _) = ledger.become_sender(&Terms::default(), now()).unwrap();
        sender.claim(1, now()).unwrap().remove(0)
    }

    /// What an issue uses is kept with the first attempt, and nothing else is.
    #[test]
    fn a_second_attempt_has_the_values_of_the_first_whatever_the_list_says_by_then() {
        let folder = tempfile::tempdir().unwrap();
        let ledger = Ledger::open(&folder.path().join("state.db"), now()).unwrap();
        ledger.enrol(&[ada("Ada", "Vienna")], now()).unwrap();
        let [city, links] = [Slot::Attribute("city".to_owned()), Slot::PreferencesUrl].map(|slot| slot.marker(NONCE));
        let text = format!("In {city}, or {city}: {links}");
        let frozen = message::freeze(&Issue { text, ..issue() }, &publication()).unwrap();
        let merge = Merge {
            base_url: publication().base_url,
            unsubscribe_key: TokenKey::new(1, &[1; 32]),
            message_id_key: MessageIdKey::new(&[2; 32]),
            signers: Signers::none(),
        };
        let mut claim = claim(&ledger, &frozen);
        let first = merge.fresh(&claim, &frozen, now()).unwrap();
        let json = first.to_json();
        assert!(json.contains("Vienna") && json.contains("/preferences/") && !json.contains("36"), "{json}");

        (claim.name, claim.attributes) = (Some("Augusta".to_owned()), r#"{"city":"London"}"#.to_owned());
        let row = Frozen {
            date: now(),
            merge: json,
            message_id: first.message_id.clone(),
            keys: String::new(),
            digest: [0; 32],
        };
        let again = Merge::thawed(&claim, &row).unwrap();
        let made = [&first, &again].map(|values| {
            let recipient = values.recipient(&claim.address);
            message::assemble(&frozen, &Signers::none(), &recipient, &values.message_id, values.date).unwrap().to_vec()
        });
        assert_eq!(made[0], made[1]);
        let text = String::from_utf8(made[0].clone()).unwrap();
        assert_eq!(text.matches("Vienna").count(), 2, "{text}");
    }
}
