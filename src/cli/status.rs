//! `status`: how every campaign stands, and how the sender gets on with it.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::at_work::AtWork;
use super::context::Context;
use super::exit::Exit;
use super::failure::Failure;
use super::printer::{self, Format};
use crate::deliver::Beat;
use crate::domain::delivery::{CampaignState, Totals};
use crate::domain::time::Instant;
use crate::ledger::{Campaign, Ledger, Reason, Survey};

/// So many reasons of each campaign are shown to people; programs get more.
const REASONS: usize = 10;
/// So many reasons of each campaign are told programs.
const MANY_REASONS: usize = 1_000;

/// Prints every campaign with its totals, what waits and why, and the sender.
pub fn run(context: &Context) -> Result<Exit, Failure> {
    let config = context.config_aloud()?;
    let ledger = context.ledger(&config)?;
    let now = context.now();
    match context.format {
        Format::Json => print_json(&ledger, now)?,
        Format::Text => print(&ledger, now)?,
    }
    Ok(Exit::Done)
}

fn print_json(ledger: &Ledger, now: Instant) -> Result<(), Failure> {
    let mut values = Vec::new();
    let mut ready = 0;
    for campaign in &ledger.campaigns()? {
        let survey = ledger.survey(&campaign.id, MANY_REASONS, now)?;
        ready += ready_of(campaign, &survey);
        let mut value = summary(ledger, campaign)?;
        let moment = |at: Option<Instant>| at.map(|at| at.to_rfc3339());
        value["ready"] = json!(survey.ready);
        value["waiting"] = json!(survey.waiting);
        value["next_due"] = json!(moment(survey.next_due));
        value["oldest_deferred"] = json!(moment(survey.oldest_deferred));
        value["reasons"] = survey.reasons.iter().map(as_json).collect();
        values.push(value);
    }
    let beat = last_beat(ledger)?;
    let at_work = beat.as_ref().map(|beat| AtWork::new(beat, ready, now));
    printer::json(&json!({
        "campaigns": values,
        "sender": at_work.as_ref().map(AtWork::sender_json),
        "relays": at_work.as_ref().map_or_else(|| json!([]), AtWork::relays_json),
    }));
    Ok(())
}

fn as_json(reason: &Reason) -> Value {
    json!({"domain": reason.domain, "state": reason.state, "said": reason.said, "count": reason.count})
}

/// What the sender last said of itself, and its relays.
fn last_beat(ledger: &Ledger) -> Result<Option<Beat>, Failure> {
    let mut notes: BTreeMap<String, String> = ledger.notes("sender")?;
    notes.extend(ledger.notes("relay ")?);
    Ok(Beat::read(&notes))
}

/// What of a campaign could be begun now.
fn ready_of(campaign: &Campaign, survey: &Survey) -> u64 {
    match campaign.state {
        CampaignState::Planned | CampaignState::Running => survey.ready,
        CampaignState::Drafting | CampaignState::Paused | CampaignState::Finished | CampaignState::Cancelled => 0,
    }
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

fn print(ledger: &Ledger, now: Instant) -> Result<(), Failure> {
    let campaigns = ledger.campaigns()?;
    if campaigns.is_empty() {
        printer::say("nothing was mailed yet; `fieldpost plan` shows what a publish would do");
    }
    let mut ready = 0;
    for campaign in &campaigns {
        let subject = ledger.issue(&campaign.issue)?.map(|issue| issue.subject).unwrap_or_default();
        let survey = ledger.survey(&campaign.id, REASONS, now)?;
        ready += ready_of(campaign, &survey);
        printer::data(&headline(campaign, &subject));
        printer::data(&format!("     {}", account(&ledger.totals(&campaign.id)?)));
        for line in waits(&survey).into_iter().chain(survey.reasons.iter().map(why)) {
            printer::data(&format!("     {line}"));
        }
    }
    if let Some(beat) = last_beat(ledger)? {
        AtWork::new(&beat, ready, now).lines().iter().for_each(|line| printer::data(line));
    }
    Ok(())
}

/// What is not due yet, and since when the longest waits.
fn waits(survey: &Survey) -> Option<String> {
    let next = survey.next_due?.format("%Y-%m-%d %H:%M:%S UTC");
    let since = survey.oldest_deferred.map(|at| format!("; the longest since {}", at.format("%Y-%m-%d %H:%M UTC")));
    let waiting = printer::thousands(survey.waiting);
    Some(format!("{waiting} wait, the next until {next}{}", since.unwrap_or_default()))
}

fn why(reason: &Reason) -> String {
    let state = reason.state.word().replace('_', " ");
    format!("{} {state} at {}: {}", printer::thousands(reason.count), reason.domain, reason.said)
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
