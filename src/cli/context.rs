//! What every verb works with: the folder, the environment, the settings, the ledger.

use std::path::PathBuf;

use super::failure::Failure;
use super::printer::{self, Format};
use crate::config::{Config, Environment};
use crate::diagnostic::Diagnostic;
use crate::domain::time::Instant;
use crate::ledger::Ledger;

/// One run of the command line.
pub struct Context {
    /// `-C`, absolute: what is wrong is shown relative to it.
    pub directory: PathBuf,
    /// Whether people or programs read standard output.
    pub format: Format,
    /// What the environment says.
    pub environment: Environment,
}

impl Context {
    /// The moment, by the system's clock or the one a test set.
    pub fn now(&self) -> Instant {
        self.environment.clock().now()
    }

    /// The publication's settings; their warnings are handed on.
    pub fn config(&self) -> Result<(Config, Vec<Diagnostic>), Failure> {
        let shown = |wrong: Vec<Diagnostic>| wrong.into_iter().map(|one| one.relative_to(&self.directory)).collect();
        match Config::load(&self.directory, &self.environment) {
            Ok((config, warnings)) => Ok((config, shown(warnings))),
            Err(wrong) => Err(Failure::Wrong(shown(wrong))),
        }
    }

    /// The publication's settings, their warnings shown at once.
    pub fn config_aloud(&self) -> Result<Config, Failure> {
        let (config, warnings) = self.config()?;
        printer::diagnostics(&warnings);
        Ok(config)
    }

    /// The ledger, created if there is none.
    pub fn ledger(&self, config: &Config) -> Result<Ledger, Failure> {
        Ok(Ledger::open(&config.state, self.now())?)
    }
}
