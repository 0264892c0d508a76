//! `report`: who got what, when, and why not, from the ledger alone.

use std::io::Write as _;

use serde_json::{Value, json};

use super::context::Context;
use super::exit::Exit;
use super::failure::Failure;
use super::printer::{self, Format, Stream};
use super::status;
use crate::audience::guarded_cell;
use crate::domain::ids::CampaignId;
use crate::domain::time::Instant;
use crate::ledger::{Campaign, DeliveryRow, Ledger};

/// The shape of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// For people.
    Text,
    /// DESIGN's JSON.
    Json,
    /// One line per delivery.
    Csv,
}

impl Shape {
    /// The shape that was asked for.
    pub fn of(csv: bool, context: &Context) -> Self {
        match context.format {
            Format::Json => Self::Json,
            Format::Text if csv => Self::Csv,
            Format::Text => Self::Text,
        }
    }
}

/// Prints the report of one campaign or of all.
pub fn run(context: &Context, campaign: Option<&str>, shape: Shape) -> Result<Exit, Failure> {
    let config = context.config_aloud()?;
    let ledger = context.ledger(&config)?;
    let campaigns = match campaign {
        None => ledger.campaigns()?,
        Some(name) => {
            let id = CampaignId::parse(name).map_err(|error| Failure::usage(format!("`{name}`: {error}")))?;
            vec![ledger.campaign(&id)?]
        }
    };
    match shape {
        Shape::Json => print_json(&ledger, &campaigns)?,
        Shape::Csv => print_csv(&ledger, &campaigns)?,
        Shape::Text => print_text(&ledger, &campaigns)?,
    }
    Ok(Exit::Done)
}

/// Prints row by row: a report of a million deliveries needs the memory of a thousand.
fn print_json(ledger: &Ledger, campaigns: &[Campaign]) -> Result<(), Failure> {
    let mut out = printer::stream();
    let mut between = "";
    put(&mut out, "{\"campaigns\": [");
    for campaign in campaigns {
        let summary = status::summary(ledger, campaign)?.to_string();
        let open = summary.strip_suffix('}').expect("a summary is a JSON object");
        put(&mut out, &format!("{between}\n{open},\"deliveries\":["));
        let mut comma = "";
        ledger.each_delivery(&campaign.id, &mut |row| {
            put(&mut out, &format!("{comma}\n  {}", delivery(&row)));
            comma = ",";
        })?;
        put(&mut out, "\n]}");
        between = ",";
    }
    put(&mut out, "\n]}\n");
    Ok(())
}

/// A stream takes everything, whether or not somebody reads it.
fn put(out: &mut Stream, text: &str) {
    out.write_all(text.as_bytes()).expect("a stream takes everything");
}

fn delivery(row: &DeliveryRow) -> Value {
    json!({
        "address": row.address.as_str(), "state": row.state, "message_id": row.message_id,
        "attempts": row.attempts, "ever_in_doubt": row.doubts > 0, "reply": row.reply,
        "reason": row.reason, "next": row.next.map(|next| next.to_rfc3339()), "relay": row.relay,
        "first_try": row.first_try.map(|at| at.to_rfc3339()), "settled": row.settled.map(|at| at.to_rfc3339()),
    })
}

const COLUMNS: [&str; 12] = [
    "campaign",
    "address",
    "state",
    "message_id",
    "attempts",
    "ever_in_doubt",
    "reply",
    "reason",
    "next",
    "relay",
    "first_try",
    "settled",
];

fn print_csv(ledger: &Ledger, campaigns: &[Campaign]) -> Result<(), Failure> {
    let mut writer = csv::Writer::from_writer(printer::stream());
    let mut written = writer.write_record(COLUMNS);
    for campaign in campaigns {
        ledger.each_delivery(&campaign.id, &mut |row| {
            let cells = cells(campaign, &row);
            // What somebody else has said, or chosen for an address, is no formula.
            let record = writer.write_record(cells.iter().map(|cell| guarded_cell(cell).into_owned()));
            if written.is_ok() {
                written = record;
            }
        })?;
    }
    written.map_err(|error| Failure::Unwritable(error.to_string()))
}

fn cells(campaign: &Campaign, row: &DeliveryRow) -> [String; COLUMNS.len()] {
    let moment = |at: Option<Instant>| at.map(|at| at.to_rfc3339()).unwrap_or_default();
    [
        campaign.id.to_string(),
        row.address.to_string(),
        row.state.word().to_owned(),
        row.message_id.as_ref().map(ToString::to_string).unwrap_or_default(),
        row.attempts.to_string(),
        (row.doubts > 0).to_string(),
        row.reply.clone().unwrap_or_default(),
        row.reason.clone().unwrap_or_default(),
        moment(row.next),
        row.relay.clone().unwrap_or_default(),
        moment(row.first_try),
        moment(row.settled),
    ]
}

fn print_text(ledger: &Ledger, campaigns: &[Campaign]) -> Result<(), Failure> {
    for campaign in campaigns {
        printer::data(&format!("{} {} ({})", campaign.id, campaign.post, campaign.state.word()));
        printer::data(&format!("  {}", status::account(&ledger.totals(&campaign.id)?)));
        for (reason, n) in &campaign.excluded {
            printer::data(&format!("  {} left out: {reason}", printer::thousands(*n)));
        }
        let mut out = printer::stream();
        ledger.each_delivery(&campaign.id, &mut |row| put(&mut out, &format!("{}\n", line(&row))))?;
    }
    Ok(())
}

fn line(row: &DeliveryRow) -> String {
    let why = row.reason.as_ref().or(row.reply.as_ref()).map(|why| format!("  {why}")).unwrap_or_default();
    let next = row.next.map(|next| format!("  next try {}", next.format("%Y-%m-%d %H:%M UTC"))).unwrap_or_default();
    let doubt = if row.doubts > 0 { "  (was in doubt)" } else { "" };
    format!("  {:10} {}{why}{next}{doubt}", row.state.word(), row.address)
}
