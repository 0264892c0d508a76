//! `pause`, `resume`, `cancel`, `retry`, `resolve`: the author steers a campaign.

use super::args::Decision;
use super::context::Context;
use super::exit::Exit;
use super::failure::Failure;
use super::printer;
use crate::domain::address::Address;
use crate::domain::delivery::DeliveryState;
use crate::domain::ids::{CampaignId, DeliveryId};
use crate::domain::traffic::{NOTES, without_pause};
use crate::ledger::{Doubtful, Ledger, Note, Resolution};

/// Why a campaign that the author paused is paused.
pub const BY_AUTHOR: &str = "paused by the author";

/// Holds a campaign. A running sender sees it at its next `begin`.
pub fn pause(context: &Context, campaign: &str) -> Result<Exit, Failure> {
    let (ledger, id) = find(context, campaign)?;
    ledger.pause(&id, BY_AUTHOR)?;
    printer::say(&format!("{id} is paused; `fieldpost resume {id}` lets it go on"));
    Ok(Exit::Done)
}

/// Lets a campaign go on, and ends the pauses of relays.
pub fn resume(context: &Context, campaign: &str) -> Result<Exit, Failure> {
    let (ledger, id) = find(context, campaign)?;
    ledger.resume(&id, context.now())?;
    end_pauses(&ledger, context)?;
    printer::say(&format!("{id} goes on with the next `fieldpost publish`"));
    Ok(Exit::Done)
}

/// Ends the pauses of relays: the author has looked. What was sent through them stays counted.
fn end_pauses(ledger: &Ledger, context: &Context) -> Result<(), Failure> {
    let ended = ledger.notes(NOTES)?.into_iter().filter_map(|(scope, note)| {
        let note = without_pause(&note)?;
        Some(Note { scope, note })
    });
    Ok(ledger.rewrite_notes(&ended.collect::<Vec<_>>(), context.now())?)
}

/// Stops a campaign for good.
pub fn cancel(context: &Context, campaign: &str) -> Result<Exit, Failure> {
    let (ledger, id) = find(context, campaign)?;
    let cancelled = ledger.cancel(&id, context.now())?;
    printer::say(&format!("{id} is cancelled; {} deliveries were not begun", printer::thousands(cancelled)));
    Ok(Exit::Done)
}

/// Makes deferred deliveries due.
pub fn retry(context: &Context, campaign: &str) -> Result<Exit, Failure> {
    let (ledger, id) = find(context, campaign)?;
    let due = ledger.retry(&id, context.now())?;
    printer::say(&format!("{} deferred deliveries are due; `fieldpost publish` sends them", printer::thousands(due)));
    Ok(Exit::Done)
}

/// Settles doubt by the author's word.
pub fn resolve(
    context: &Context,
    campaign: &str,
    resolution: &Resolution,
    address: Option<&str>,
) -> Result<Exit, Failure> {
    let (ledger, id) = find(context, campaign)?;
    let which = match address {
        Some(address) => Doubtful::One(doubtful_delivery(&ledger, &id, address)?),
        None => Doubtful::Of(id.clone()),
    };
    let resolved = ledger.resolve(&which, resolution, context.now())?;
    printer::say(&format!("{} deliveries of {id} are resolved", printer::thousands(resolved)));
    Ok(Exit::Done)
}

/// What was typed as the ledger takes it. Evidence belongs to what it proves.
pub fn resolution(decision: Decision, evidence: Option<String>) -> Result<Resolution, Failure> {
    let by_word = || "the author's word".to_owned();
    match (decision, evidence) {
        (Decision::Arrived, evidence) => Ok(Resolution::Accepted { evidence: evidence.unwrap_or_else(by_word) }),
        (Decision::Refused, evidence) => Ok(Resolution::Rejected { evidence: evidence.unwrap_or_else(by_word) }),
        (Decision::Resend, None) => Ok(Resolution::Resend),
        (Decision::Hold, None) => Ok(Resolution::Hold),
        (Decision::Abandon, None) => Ok(Resolution::Abandon),
        (Decision::Resend | Decision::Hold | Decision::Abandon, Some(_)) => {
            Err(Failure::usage("`--evidence` goes with `arrived` or `refused`"))
        }
    }
}

fn doubtful_delivery(ledger: &Ledger, campaign: &CampaignId, address: &str) -> Result<DeliveryId, Failure> {
    let address = Address::parse(address).map_err(|error| Failure::usage(format!("`{address}`: {error}")))?;
    let mut found = None;
    ledger.each_delivery(campaign, &mut |row| {
        if row.address == address && row.state == DeliveryState::InDoubt {
            found = Some(row.id);
        }
    })?;
    found.ok_or_else(|| Failure::Usage {
        message: format!("no delivery of {campaign} to `{address}` is in doubt"),
        help: Some(format!("`fieldpost report {campaign}` lists them")),
    })
}

fn find(context: &Context, campaign: &str) -> Result<(Ledger, CampaignId), Failure> {
    let config = context.config_aloud()?;
    let ledger = context.ledger(&config)?;
    let id = CampaignId::parse(campaign).map_err(|error| Failure::usage(format!("`{campaign}`: {error}")))?;
    let id = ledger.campaign(&id)?.id;
    Ok((ledger, id))
}
