//! What the author set: `fieldpost.toml`, read in two steps.
//!
//! First what was typed (`raw`: every section and key with its place in the file; an unknown
//! key is an error that names the nearest known one), then what was built from it ([`Config`]:
//! every default filled in, every path absolute, every value of its proper type). Both steps
//! go on after a mistake, so that the author sees all of them at once.
//!
//! This module is also the one reader of the environment ([`Environment::read`]). It reads
//! files and writes none, opens no connection and knows no clock.

mod build;
mod clock;
mod dkim;
mod environment;
mod identity;
mod inquiry;
mod mail_pictures;
mod named;
mod nearest;
mod pacing;
mod paths;
mod raw;
mod relay;
mod rules;
mod secret;
pub(crate) mod sheet;
mod silence;
mod words;
mod zone;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::diagnostic::{Diagnostic, Place};
use crate::dkim::{Algorithm, Signers};
use crate::domain::delivery::InDoubtPolicy;
use crate::domain::ids::PostId;
use crate::domain::publication::Publication;
use crate::domain::rules::Rules;
use crate::domain::time::Instant;
use crate::math::Macros;

pub use clock::Clock;
pub use environment::{Colour, Environment, EnvironmentError};
pub use inquiry::Places;
pub use mail_pictures::MailPictures;
pub use nearest::nearest;
pub use pacing::{RelayPace, Timing};
pub use relay::{Relay, Security, Sign};
pub use secret::Secret;
pub use silence::Silence;
pub use zone::moment;

/// The name of the configuration file, in the publication's folder.
pub const FILE_NAME: &str = "fieldpost.toml";

/// The largest configuration file that is read, in bytes.
const MAX_SIZE: u64 = 1 << 20;

/// A publication's settings, complete: nothing downstream knows a default.
/// All paths are absolute when the folder given to [`Config::load`] was.
#[derive(Debug, Clone)]
pub struct Config {
    /// The publication's folder, where `fieldpost.toml` lies.
    pub root: PathBuf,
    /// What feeds, pages and mail say about themselves.
    pub publication: Publication,
    /// The folder of posts.
    pub source: PathBuf,
    /// The folder the site is written to; never the root or a folder around the posts.
    pub output: PathBuf,
    /// The publication's own templates, when it has any.
    pub templates: Option<PathBuf>,
    /// The ledger's state file.
    pub state: PathBuf,
    /// The folder of the state file, where lock and mark file lie beside it.
    pub state_dir: PathBuf,
    /// The Maildir that takes the mail as long as there is no relay.
    pub outbox: PathBuf,
    /// The SMTP servers to submit to, in the author's order; none means the outbox.
    pub relays: Vec<Relay>,
    /// Every key of `[[dkim]]`, in the author's order. What really signs is
    /// [`signers`](Self::signers).
    pub dkim: Signers,
    /// The name to greet relays with; `None` when this machine has no full one.
    pub host_name: Option<String>,
    /// No wait for a relay is longer; `None`: as long as RFC 5321 asks for.
    pub smtp_patience: Option<Duration>,
    /// The list of subscribers, `.toml` or `.csv`; it exists.
    pub subscribers_file: Option<PathBuf>,
    /// Posts dated earlier were never news: they are not mailed.
    pub mail_since: Option<Instant>,
    /// Where the pictures of mails are.
    pub mail_pictures: MailPictures,
    /// What to do with a delivery in doubt.
    pub in_doubt: InDoubtPolicy,
    /// How many deliveries one sender may have begun and not settled, 1 to 10,000.
    pub begin_ahead: usize,
    /// When mail goes, and how fast to which domain.
    pub timing: Timing,
    /// What particular replies mean: the author's rules, then the shipped ones.
    pub rules: Rules,
    /// What `check` shall leave unsaid.
    pub silences: Vec<Silence>,
    /// Ids of posts the author took away on purpose.
    pub retired: Vec<PostId>,
    /// Files under `source` that are no posts: globs or path prefixes.
    pub ignore: Vec<String>,
    /// How many of the newest posts have a card to be shared with.
    pub cards: usize,
    /// How many entries a feed holds, at least 1.
    pub feed_limit: usize,
    /// The author's abbreviations in formulas.
    pub macros: Macros,
    /// The DNS server that `check` asks; `None` is the system's.
    pub resolver: Option<SocketAddr>,
    /// Where the settings stand that DNS is asked about.
    pub places: Places,
    /// Which build of fieldpost this is: what another one kept in a cache is not used.
    pub program: String,
}

impl Config {
    /// Reads the `fieldpost.toml` of a folder, with the files it names (a relay's CA and
    /// password, the keys of DKIM).
    ///
    /// Returns the settings with the warnings, or everything that is wrong: all errors of the
    /// file at once, each with its line. Syntax errors hide the others, since what a broken
    /// line was meant to say is a guess. A second call reads everything again.
    pub fn load(dir: &Path, environment: &Environment) -> Result<(Self, Vec<Diagnostic>), Vec<Diagnostic>> {
        let file = dir.join(FILE_NAME);
        let text = read_text(&file).map_err(|diagnostic| vec![*diagnostic])?;
        build::config(dir, &file, &text, environment)
    }

    /// Who signs the mail: every key, as far as the relays let their signatures through.
    pub fn signers(&self) -> Signers {
        match self.relays.first().map_or(Sign::All, |relay| relay.sign) {
            Sign::All => self.dkim.clone(),
            Sign::Rsa => self.dkim.only(Algorithm::Rsa),
            Sign::Nothing => Signers::none(),
        }
    }
}

fn read_text(file: &Path) -> Result<String, Box<Diagnostic>> {
    let size = std::fs::metadata(file).map_err(|error| unreadable(file, &error))?.len();
    if size > MAX_SIZE {
        let message = format!("{size} bytes are no configuration; {MAX_SIZE} is the most that is read");
        return Err(Box::new(Diagnostic::error("config-too-large", Place::file(file), message)));
    }
    sheet::utf8(file, std::fs::read(file).map_err(|error| unreadable(file, &error))?)
}

fn unreadable(file: &Path, error: &std::io::Error) -> Box<Diagnostic> {
    let place = Place::file(file);
    Box::new(if error.kind() == std::io::ErrorKind::NotFound {
        Diagnostic::error("config-missing", place, format!("there is no `{FILE_NAME}` here"))
            .help("`fieldpost init` writes one from what is in the folder; `-C DIR` names another folder")
    } else {
        Diagnostic::error("config-unreadable", place, format!("cannot be read: {error}"))
    })
}

#[cfg(test)]
mod tests;
