//! The one reader of the environment.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use chrono::DateTime;

use super::clock::Clock;
use super::secret::Secret;
use crate::domain::time::Instant;

/// Whether output may be coloured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Colour {
    /// On a terminal.
    #[default]
    Auto,
    /// `NO_COLOR` is set to anything but nothing (<https://no-color.org>).
    Never,
}

/// Why the environment cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EnvironmentError {
    /// The test clock is set to something that is no moment. Going on with the real time
    /// would let a test mail real people.
    #[error("FIELDPOST_NOW is `{0}`, which is no RFC 3339 moment such as 2026-01-31T09:00:00Z")]
    Clock(String),
    /// The tests' patience with relays is no number of seconds.
    #[error("FIELDPOST_SMTP_TIMEOUT is `{0}`, which is no number of seconds")]
    Patience(String),
    /// The password holds bytes that are no UTF-8; it is not shown.
    #[error("FIELDPOST_RELAY_PASSWORD is no UTF-8 text")]
    Password,
}

/// What the environment says. Everybody but this module gets it as values.
#[derive(Debug, Clone, Default)]
pub struct Environment {
    /// `FIELDPOST_RELAY_PASSWORD`: the password of every relay that has a user and no
    /// `password_file`.
    pub relay_password: Option<Secret>,
    /// Where fieldpost keeps its own state for this user, outside of every publication:
    /// `$XDG_STATE_HOME/fieldpost`, else `~/.local/state/fieldpost`; `None` without a home.
    pub user_state: Option<PathBuf>,
    /// The command that edits a file: `VISUAL`, else `EDITOR`.
    pub editor: Option<String>,
    /// Whether output may be coloured.
    pub colour: Colour,
    /// `FIELDPOST_NOW`, the moment that tests give for "now" (RFC 3339). For tests only: a
    /// clock that stands still never sees a deferred delivery come due.
    pub now: Option<Instant>,
    /// `FIELDPOST_SMTP_TIMEOUT`, in seconds: no wait for a relay is longer. For tests only: the
    /// time-outs of RFC 5321, which are used without it, are minutes.
    pub smtp_patience: Option<Duration>,
    /// The name of this machine, to greet relays with; `None` when it has no full one.
    pub host_name: Option<String>,
    /// The user's language as BCP 47, from `LC_ALL`, `LC_MESSAGES` or `LANG`; `None` for `C`.
    pub language: Option<String>,
    /// Which build of fieldpost this is, told by its file; empty when nobody can tell.
    pub program: String,
}

impl Environment {
    /// The clock that commands go by.
    pub fn clock(&self) -> Clock {
        self.now.map_or(Clock::System, Clock::Still)
    }

    /// Reads the process's environment.
    pub fn read() -> Result<Self, EnvironmentError> {
        let environment = Self::from_lookup(|name| std::env::var_os(name))?;
        Ok(Self { host_name: host_name(), program: program(), ..environment })
    }

    /// Reads an environment given as a function from name to value. An empty value counts as
    /// absent.
    pub fn from_lookup(lookup: impl Fn(&str) -> Option<OsString>) -> Result<Self, EnvironmentError> {
        let raw = |name: &str| lookup(name).filter(|value| !value.is_empty());
        let text = |name: &str| raw(name).and_then(|value| value.into_string().ok());
        let password = raw("FIELDPOST_RELAY_PASSWORD")
            .map(|value| value.into_string().map_err(|_| EnvironmentError::Password))
            .transpose()?;
        let absolute = |name: &str| raw(name).map(PathBuf::from).filter(|path| path.is_absolute());
        let state_home = absolute("XDG_STATE_HOME").or_else(|| absolute("HOME").map(|home| home.join(".local/state")));
        Ok(Self {
            relay_password: password.map(Secret::new),
            user_state: state_home.map(|folder| folder.join("fieldpost")),
            editor: text("VISUAL").or_else(|| text("EDITOR")),
            colour: if raw("NO_COLOR").is_some() { Colour::Never } else { Colour::Auto },
            now: raw("FIELDPOST_NOW").map(|value| test_clock(&value.to_string_lossy())).transpose()?,
            smtp_patience: raw("FIELDPOST_SMTP_TIMEOUT").map(|value| seconds(&value.to_string_lossy())).transpose()?,
            host_name: None,
            program: String::new(),
            language: ["LC_ALL", "LC_MESSAGES", "LANG"].into_iter().find_map(text).and_then(|value| bcp47(&value)),
        })
    }
}

/// The kernel's name of the machine, if it is a full one: relays distrust a bare `laptop`.
fn host_name() -> Option<String> {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").ok()?;
    let name = name.trim();
    name.contains('.').then(|| name.to_owned())
}

/// The program's file as another build of it would not look.
fn program() -> String {
    let found = std::env::current_exe().and_then(std::fs::metadata).ok();
    found.map(|found| format!("{} {:?}", found.len(), found.modified().ok())).unwrap_or_default()
}

fn test_clock(text: &str) -> Result<Instant, EnvironmentError> {
    let moment = DateTime::parse_from_rfc3339(text).map_err(|_| EnvironmentError::Clock(text.to_owned()))?;
    Ok(moment.to_utc())
}

fn seconds(text: &str) -> Result<Duration, EnvironmentError> {
    text.parse().map(Duration::from_secs).map_err(|_| EnvironmentError::Patience(text.to_owned()))
}

/// `de_AT.UTF-8@euro` is `de-AT`; `C` and `POSIX` are no language.
fn bcp47(locale: &str) -> Option<String> {
    let tag = locale.split(['.', '@']).next().unwrap_or_default().replace('_', "-");
    (!matches!(tag.as_str(), "" | "C" | "POSIX") && tag.is_ascii()).then_some(tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(pairs: &[(&str, &str)]) -> Result<Environment, EnvironmentError> {
        Environment::from_lookup(|name| pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| value.into()))
    }

    #[test]
    fn an_empty_environment_has_no_opinions() {
        let read = environment(&[("FIELDPOST_RELAY_PASSWORD", ""), ("HOME", "relative")]).unwrap();
        assert!(read.relay_password.is_none() && read.user_state.is_none() && read.now.is_none());
        assert_eq!(read.colour, Colour::Auto);
    }

    #[test]
    fn every_variable_is_understood() {
        let read = environment(&[
            ("FIELDPOST_RELAY_PASSWORD", "hunter2"),
            ("HOME", "/home/ada"),
            ("EDITOR", "vi"),
            ("VISUAL", "code --wait"),
            ("NO_COLOR", "1"),
            ("FIELDPOST_NOW", "2026-01-31T10:00:00+01:00"),
            ("FIELDPOST_SMTP_TIMEOUT", "2"),
            ("LANG", "de_AT.UTF-8"),
        ])
        .unwrap();
        assert_eq!(read.user_state.as_deref(), Some(std::path::Path::new("/home/ada/.local/state/fieldpost")));
        assert_eq!(read.editor.as_deref(), Some("code --wait"));
        assert_eq!(read.colour, Colour::Never);
        assert_eq!(read.now.unwrap().to_rfc3339(), "2026-01-31T09:00:00+00:00");
        assert_eq!(read.smtp_patience, Some(Duration::from_secs(2)));
        assert_eq!(read.language.as_deref(), Some("de-AT"));
        assert!(!format!("{read:?}").contains("hunter2"));
    }

    #[test]
    fn a_broken_test_clock_or_patience_stops_everything() {
        let patience = environment(&[("FIELDPOST_SMTP_TIMEOUT", "1m")]).unwrap_err();
        assert_eq!(patience, EnvironmentError::Patience("1m".to_owned()));
        assert_eq!(
            environment(&[("FIELDPOST_NOW", "tomorrow")]).unwrap_err(),
            EnvironmentError::Clock("tomorrow".to_owned())
        );
    }
}
