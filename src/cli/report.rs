//! `report`: who got what, when, and why not, from the ledger alone.

use serde_json::{Value, json};

use super::context::Context;
use super::exit::Exit;
use super::failure::Failure;
use super::printer::{self, Format};
use super::status;
use crate::domain::ids::CampaignId;
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

fn print_json(ledger: &Ledger, campaigns: &[Campaign]) -> Result<(), Failure> {
    let mut values = Vec::new();
    for campaign in campaigns {
        let mut value = status::summary(ledger, campaign)?;
        let mut deliveries: Vec<Value> = Vec::new();
        ledger.each_delivery(&campaign.id, &mut |row| deliveries.push(delivery(&row)))?;
        value["deliveries"] = Value::Array(deliveries);
        values.push(value);
    }
    printer::json(&json!({"campaigns": values}));
    Ok(())
}

fn delivery(row: &DeliveryRow) -> Value {
    json!({
        "address": row.address.as_str(), "state": row.state, "message_id": row.message_id,
        "attempts": row.attempts, "ever_in_doubt": row.doubts > 0, "reply": row.reply,
        "reason": row.reason, "next": row.next.map(|next| next.to_rfc3339()),
    })
}

fn print_csv(ledger: &Ledger, campaigns: &[Campaign]) -> Result<(), Failure> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let broken = |error: csv::Error| Failure::Unwritable(error.to_string());
    writer
        .write_record(["campaign", "address", "state", "message_id", "attempts", "ever_in_doubt", "reply", "reason"])
        .map_err(broken)?;
    for campaign in campaigns {
        let mut rows = Vec::new();
        ledger.each_delivery(&campaign.id, &mut |row| rows.push(cells(campaign, &row)))?;
        for row in rows {
            writer.write_record(&row).map_err(broken)?;
        }
    }
    printer::bytes(&writer.into_inner().expect("memory is never full"));
    Ok(())
}

fn cells(campaign: &Campaign, row: &DeliveryRow) -> [String; 8] {
    [
        campaign.id.to_string(),
        row.address.to_string(),
        row.state.word().to_owned(),
        row.message_id.as_ref().map(ToString::to_string).unwrap_or_default(),
        row.attempts.to_string(),
        (row.doubts > 0).to_string(),
        row.reply.clone().unwrap_or_default(),
        row.reason.clone().unwrap_or_default(),
    ]
}

fn print_text(ledger: &Ledger, campaigns: &[Campaign]) -> Result<(), Failure> {
    for campaign in campaigns {
        printer::data(&format!("{} {} ({})", campaign.id, campaign.post, campaign.state.word()));
        printer::data(&format!("  {}", status::account(&ledger.totals(&campaign.id)?)));
        for (reason, n) in &campaign.excluded {
            printer::data(&format!("  {} left out: {reason}", printer::thousands(*n)));
        }
        let mut lines = Vec::new();
        ledger.each_delivery(&campaign.id, &mut |row| lines.push(line(&row)))?;
        for line in lines {
            printer::data(&line);
        }
    }
    Ok(())
}

fn line(row: &DeliveryRow) -> String {
    let why = row.reason.as_ref().or(row.reply.as_ref()).map(|why| format!("  {why}")).unwrap_or_default();
    let next = row.next.map(|next| format!("  next try {}", next.format("%Y-%m-%d %H:%M UTC"))).unwrap_or_default();
    let doubt = if row.doubts > 0 { "  (was in doubt)" } else { "" };
    format!("  {:10} {}{why}{next}{doubt}", row.state.word(), row.address)
}
