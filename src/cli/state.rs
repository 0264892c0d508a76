//! `state verify` and `state accept`: is the state file sound, and is it the right one?

use serde_json::json;

use super::context::Context;
use super::exit::Exit;
use super::failure::Failure;
use super::printer::{self, Format};

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
    let Some(witness) = &context.environment.user_state else {
        printer::say("nothing remembers an earlier state: there is no home folder");
        return Ok(Exit::Done);
    };
    let paused = ledger.accept_old_state(witness, context.now())?;
    printer::say(&format!(
        "{} is accepted; {} campaigns are paused",
        config.state.display(),
        printer::thousands(paused)
    ));
    if paused > 0 {
        printer::say("  help: `fieldpost report` shows them; `fieldpost resume` or `fieldpost cancel` each");
    }
    Ok(Exit::Done)
}
