//! `build`: feeds, pages and assets; only what changed.

use serde_json::json;

use super::context::Context;
use super::exit::Exit;
use super::failure::Failure;
use super::printer::{self, Format};
use crate::campaign::{self, Prepared};
use crate::config::Config;
use crate::content::Look;
use crate::diagnostic::{Diagnostic, has_errors};
use crate::ledger::Ledger;
use crate::publish::SiteChanges;

/// Writes the site. What is wrong is shown; the good posts are built all the same.
pub fn run(context: &Context) -> Result<Exit, Failure> {
    let (config, warnings) = context.config()?;
    let ledger = context.ledger(&config)?;
    let prepared = prepare(context, &config, &ledger)?;
    let built = campaign::build(&prepared, &ledger)?;
    let diagnostics = [warnings, prepared.diagnostics.clone(), built.diagnostics.clone()].concat();
    printer::diagnostics(&diagnostics);
    match context.format {
        Format::Json => printer::json(&json!({
            "files": {"added": built.added, "changed": built.changed, "removed": built.removed},
            "diagnostics": diagnostics.iter().map(Diagnostic::to_json).collect::<Vec<_>>(),
        })),
        Format::Text => printer::say(&summary(&prepared, &built)),
    }
    // The process ends here: nobody needs the memory of ten thousand posts, piece by piece.
    std::mem::forget(prepared);
    Ok(if has_errors(&diagnostics) { Exit::Invalid } else { Exit::Done })
}

/// Reads the publication, with what the ledger remembers of its posts.
pub fn prepare<'a>(context: &Context, config: &'a Config, ledger: &Ledger) -> Result<Prepared<'a>, Failure> {
    campaign::prepare(config, ledger.known_posts()?, context.now(), Look::Build).map_err(Failure::Wrong)
}

/// What was built, in one line.
pub fn summary(prepared: &Prepared, built: &SiteChanges) -> String {
    let files = |n: usize, word: &str| format!("{} {word}", printer::thousands(n as u64));
    format!(
        "{} in {}: {}, {}, {}, {}",
        printer::count(prepared.public_posts().len(), "post"),
        prepared.config.output.display(),
        files(built.added.len(), "files added"),
        files(built.changed.len(), "changed"),
        files(built.removed.len(), "removed"),
        files(built.unchanged, "unchanged"),
    )
}
