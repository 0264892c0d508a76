//! `status`: the counts of every campaign.

use serde_json::{Value, json};

use super::context::Context;
use super::exit::Exit;
use super::failure::Failure;
use super::printer::{self, Format};
use crate::domain::delivery::{CampaignState, Totals};
use crate::ledger::{Campaign, Ledger};

/// Prints every campaign with its totals.
pub fn run(context: &Context) -> Result<Exit, Failure> {
    let config = context.config_aloud()?;
    let ledger = context.ledger(&config)?;
    match context.format {
        Format::Json => {
            let campaigns = ledger.campaigns()?;
            let values = campaigns.iter().map(|one| summary(&ledger, one)).collect::<Result<Vec<_>, _>>()?;
            printer::json(&json!({"campaigns": values}));
        }
        Format::Text => print(&ledger)?,
    }
    Ok(Exit::Done)
}

/// One campaign as scripts read it, without its deliveries.
pub fn summary(ledger: &Ledger, campaign: &Campaign) -> Result<Value, Failure> {
    let totals = ledger.totals(&campaign.id)?;
    Ok(json!({
        "id": campaign.id, "post": campaign.post, "state": campaign.state, "reason": campaign.reason,
        "opened": campaign.opened.to_rfc3339(), "not_before": campaign.not_before.map(|at| at.to_rfc3339()),
        "finished": campaign.finished.map(|at| at.to_rfc3339()),
        "excluded": campaign.excluded, "totals": totals,
    }))
}

fn print(ledger: &Ledger) -> Result<(), Failure> {
    let campaigns = ledger.campaigns()?;
    if campaigns.is_empty() {
        printer::say("nothing was mailed yet; `fieldpost plan` shows what a publish would do");
    }
    for campaign in &campaigns {
        let subject = ledger.issue(&campaign.issue)?.map(|issue| issue.subject).unwrap_or_default();
        printer::data(&headline(campaign, &subject));
        printer::data(&format!("     {}", account(&ledger.totals(&campaign.id)?)));
    }
    Ok(())
}

/// A campaign's name, subject and state.
pub fn headline(campaign: &Campaign, subject: &str) -> String {
    let reason = campaign.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
    let start = campaign.not_before.filter(|_| campaign.state == CampaignState::Planned);
    let start = start.map(|at| format!(", not before {}", at.format("%Y-%m-%d %H:%M UTC"))).unwrap_or_default();
    format!("{:4} {subject} ({}{start}{reason})", campaign.id.as_str(), campaign.state.word())
}

/// The totals in one line: what is zero is left out.
pub fn account(totals: &Totals) -> String {
    let parts: Vec<String> = [
        (totals.accepted, "accepted"),
        (totals.pending, "pending"),
        (totals.deferred, "deferred"),
        (totals.in_doubt, "in doubt"),
        (totals.rejected, "rejected"),
        (totals.suppressed, "suppressed"),
        (totals.cancelled, "cancelled"),
        (totals.expired, "expired"),
        (totals.abandoned, "abandoned"),
    ]
    .into_iter()
    .filter(|(n, _)| *n > 0)
    .map(|(n, word)| format!("{} {word}", printer::thousands(n)))
    .collect();
    let account = if parts.is_empty() { "nobody".to_owned() } else { parts.join(", ") };
    format!("{} planned: {account}", printer::thousands(totals.planned))
}
