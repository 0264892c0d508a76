//! `state verify`: is the state file sound, and does the ledger keep its laws?

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
