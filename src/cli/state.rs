//! `state verify` and `state accept`: is the state file sound, and is it the right one?

use serde_json::json;

use super::build;
use super::context::Context;
use super::exit::Exit;
use super::failure::Failure;
use super::printer::{self, Format};
use crate::campaign;
use crate::diagnostic::has_errors;

/// Checks and lists what is wrong; nothing is changed.
pub fn verify(context: &Context) -> Result<Exit, Failure> {
    let config = context.config_aloud()?;
    let findings = context.ledger(&config)?.verify()?;
    match context.format {
        Format::Json => {
            let wrong: Vec<&str> = findings.iter().map(|finding| finding.what.as_str()).collect();
            printer::json(&json!({"file": config.state.display().to_string(), "findings": wrong}));
        }
        Format::Text if findings.is_empty() => {
            printer::data(&format!("{} is sound, and every account balances", config.state.display()));
        }
        Format::Text => {
            for finding in &findings {
                printer::data(&finding.what);
            }
        }
    }
    Ok(if findings.is_empty() { Exit::Done } else { Exit::StateUnwritable })
}

/// The author's word that this state file is to be used, although it is not the one that sent
/// last from here.
pub fn accept(context: &Context) -> Result<Exit, Failure> {
    let config = context.config_aloud()?;
    let ledger = context.ledger(&config)?;
    let prepared = build::prepare(context, &config, &ledger)?;
    if has_errors(&prepared.diagnostics) {
        printer::diagnostics(&prepared.diagnostics);
        printer::say("nothing is accepted while the posts have errors: it decides which of them are old");
        return Ok(Exit::Invalid);
    }
    let Some(witness) = &context.environment.user_state else {
        printer::say("nothing remembers an earlier state: there is no home folder");
        return Ok(Exit::Done);
    };
    // First what cannot be mailed by mistake: killed in between, the state is still refused.
    let old = campaign::call_old(&prepared, &ledger, context.now())?;
    let accepted = ledger.accept_old_state(witness, context.now())?;
    printer::say(&format!(
        "{} is accepted; {} campaigns are paused, {} deliveries are in doubt, {} called old",
        config.state.display(),
        printer::thousands(accepted.paused),
        printer::thousands(accepted.in_doubt),
        printer::count(old, "post")
    ));
    if accepted.paused > 0 {
        printer::say("  help: `fieldpost report` shows who may have been mailed since; `fieldpost resolve` decides");
        printer::say("  about them, `fieldpost resume` or `fieldpost cancel` about each campaign");
    }
    Ok(Exit::Done)
}
