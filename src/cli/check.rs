//! `check`: everything that is wrong, and the repair of what needs no judgement.

use serde_json::json;

use super::build;
use super::context::Context;
use super::exit::Exit;
use super::failure::Failure;
use super::printer::{self, Format};
use crate::campaign;
use crate::check;
use crate::diagnostic::{Diagnostic, has_errors};

/// What `check` does about what it finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Says it.
    Report,
    /// Repairs what it can, then says what is left.
    Repair,
}

/// Checks configuration, posts, templates, lists and what a build would place.
pub fn run(context: &Context, mode: Mode) -> Result<Exit, Failure> {
    let (config, warnings) = context.config()?;
    let ledger = context.ledger(&config)?;
    if mode == Mode::Repair {
        let prepared = build::prepare(context, &config, &ledger)?;
        for file in check::repair_mojibake(&config.root, &prepared.diagnostics)? {
            printer::say(&format!("repaired {}", file.display()));
        }
    }
    let prepared = build::prepare(context, &config, &ledger)?;
    let placed = campaign::foresee(&prepared)?;
    let diagnostics = [warnings, prepared.diagnostics.clone(), placed.diagnostics].concat();
    match context.format {
        Format::Json => {
            printer::json(&json!({"diagnostics": diagnostics.iter().map(Diagnostic::to_json).collect::<Vec<_>>()}));
        }
        Format::Text => {
            printer::diagnostics(&diagnostics);
            if diagnostics.is_empty() {
                printer::say(&format!("{}, nothing to complain about", printer::count(prepared.posts.len(), "post")));
            }
        }
    }
    Ok(if has_errors(&diagnostics) { Exit::Invalid } else { Exit::Done })
}
