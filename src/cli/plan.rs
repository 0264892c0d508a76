//! `plan`: what a publish would do, and nothing done.

use super::args::Selection;
use super::build;
use super::context::Context;
use super::exit::Exit;
use super::failure::Failure;
use super::printer::{self, Format};
use crate::campaign::{self, Choice, Plan, PlannedCampaign, Prepared, Unmailable};
use crate::diagnostic::{Severity, has_errors};
use crate::ledger::Ledger;

/// Prints the plan.
pub fn run(context: &Context, selection: &Selection) -> Result<Exit, Failure> {
    let (config, warnings) = context.config()?;
    let ledger = context.ledger(&config)?;
    let prepared = build::prepare(context, &config, &ledger)?;
    let choice = choice(&prepared, &ledger, selection)?;
    let mut plan = campaign::plan(&prepared, &ledger, &choice, context.now())?;
    plan.diagnostics.extend(warnings);
    match context.format {
        Format::Json => printer::json(&plan.to_json()),
        Format::Text => {
            printer::diagnostics(&plan.diagnostics);
            printer::data(&account(&plan));
        }
    }
    Ok(if has_errors(&plan.diagnostics) { Exit::Invalid } else { Exit::Done })
}

/// What the author chose on the command line.
pub fn choice(prepared: &Prepared, ledger: &Ledger, selection: &Selection) -> Result<Choice, Failure> {
    if !selection.posts.is_empty() {
        return campaign::choose_named(prepared, ledger, &selection.posts).map_err(|error| match error {
            Unmailable::Ledger(error) => Failure::Ledger(error),
            Unmailable::Unknown(_) | Unmailable::Named { .. } => Failure::Usage {
                message: error.to_string(),
                help: Some("name posts by slug, source file or id; `fieldpost plan --json` lists them".to_owned()),
            },
        });
    }
    if let Some(day) = selection.digest {
        return Ok(Choice::Digest(day));
    }
    Ok(match (selection.since, selection.backfill) {
        (Some(day), _) => Choice::Since(day),
        (None, Some(n)) => Choice::Backfill(n),
        (None, None) => Choice::Unsaid,
    })
}

/// The plan as an author reviews it.
pub fn account(plan: &Plan) -> String {
    let mut lines: Vec<String> = plan.campaigns.iter().map(one_campaign).collect();
    lines.extend(plan.cautions.iter().map(|caution| caution.sentence().to_owned()));
    lines.extend(plan.resumed.iter().map(|(id, left)| format!("{id} goes on: {} are left", printer::thousands(*left))));
    if lines.is_empty() {
        lines.push("no post is news: nothing is mailed".to_owned());
    }
    if plan.first && plan.old > 0 {
        lines.push(format!(
            "first publish: {} here already and not mailed, now or later (`--since DATE` or `--backfill N` mails some)",
            printer::count(plan.old, "post")
        ));
    }
    let files = &plan.files;
    lines.push(format!(
        "feeds +{}; files: {} new, {} changed, {} removed",
        printer::thousands(files.new_entries.len() as u64),
        printer::thousands(files.added.len() as u64),
        printer::thousands(files.changed.len() as u64),
        printer::thousands(files.removed.len() as u64)
    ));
    let errors = plan.diagnostics.iter().filter(|one| one.severity == Severity::Error).count();
    lines.push(format!(
        "{}, {}",
        printer::count(errors, "error"),
        printer::count(plan.diagnostics.len() - errors, "warning")
    ));
    lines.join("\n")
}

fn one_campaign(campaign: &PlannedCampaign) -> String {
    let excluded: u64 = campaign.excluded.values().sum();
    let reasons: Vec<String> =
        campaign.excluded.iter().map(|(reason, n)| format!("{} {}", printer::thousands(*n), reason.word())).collect();
    let excluded = match excluded {
        0 => String::new(),
        n => format!("; {} excluded: {}", printer::thousands(n), reasons.join(", ")),
    };
    format!("post \"{}\": {} get it{excluded}", campaign.title, printer::thousands(campaign.recipients))
}
