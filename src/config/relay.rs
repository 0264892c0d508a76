//! An SMTP server to submit to, from one URL and the files beside it.

use std::net::IpAddr;
use std::path::Path;

use percent_encoding::percent_decode_str;
use url::{Host, Url};

use super::environment::Environment;
use super::named;
use super::nearest::nearest;
use super::pacing::{self, RelayPace};
use super::raw::{ClearText, RawRelay, Text};
use super::secret::Secret;
use super::sheet::{Sheet, Typed};
use crate::diagnostic::Diagnostic;
use crate::domain::preset::Signing;

const FORMS: &str = "write smtps://user@mail.example.org, smtp+starttls://user@mail.example.org or, \
                     for a server on this machine, smtp://localhost";

/// How the connection is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Security {
    /// TLS from the first byte (RFC 8314), port 465.
    Implicit,
    /// STARTTLS, and nothing is said without it (RFC 3207), port 587.
    StartTls,
    /// None: to this machine only, or by the author's own word.
    ClearText,
}

/// Which DKIM signatures a relay lets through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sign {
    /// One by every key.
    All,
    /// The RSA one alone: for a relay that refuses a second signature.
    Rsa,
    /// None: the relay signs.
    Nothing,
}

/// An SMTP server to submit to.
#[derive(Debug, Clone)]
pub struct Relay {
    /// The host name in ASCII, or an IP address without brackets.
    pub host: String,
    /// The port.
    pub port: u16,
    /// How the connection is protected.
    pub security: Security,
    /// Whom to log in as; `None` means no AUTH.
    pub user: Option<String>,
    /// The password. `None` beside a user means that it is not known here (a build on another
    /// machine, say): nothing can be mailed through this relay, and a warning has said so.
    pub password: Option<Secret>,
    /// Certificates of a private CA in PEM, trusted beside the system's.
    pub ca_pem: Option<Vec<u8>>,
    /// How fast and how much.
    pub pace: RelayPace,
    /// Which signatures mail through it bears; the same for all relays of a publication.
    pub sign: Sign,
}

impl Relay {
    /// Whether it is on this machine, as far as its name says so.
    pub fn is_here(&self) -> bool {
        is_loopback(&self.host)
    }
}

/// Builds a relay, noting everything that is wrong with it; `None` when no relay comes of it.
pub(super) fn relay(raw: &RawRelay, sheet: &Sheet<'_>, root: &Path, environment: &Environment) -> Option<Relay> {
    let ca_pem = raw.ca_file.as_ref().map(|file| certificates(file, sheet, root));
    let password = raw.password_file.as_ref().map(|file| password(file, sheet, root));
    let known = |host: &str| {
        let preset = pacing::preset(&raw.preset, host, sheet);
        (pacing::relay_pace(raw, &preset, sheet), sign(&raw.sign, preset.signing, sheet))
    };
    let Some(typed) = &raw.url else {
        known("");
        sheet.error("relay-url", raw.span.clone(), "`[[relay]]` has no `url`", FORMS);
        return None;
    };
    let url = read_url(typed, sheet);
    let (pace, sign) = known(&url.as_ref().map(host_text).unwrap_or_default());
    let url = url?;
    let security = security(&url, typed, raw.allow_clear_text, sheet)?;
    let user = (!url.username().is_empty()).then(|| percent_decoded(url.username()));
    let password = match password {
        Some(read) => Some(read?),
        None => user.as_ref().and(environment.relay_password.clone()),
    };
    if user.is_some() && password.is_none() {
        note_missing_password(typed, sheet);
    }
    Some(Relay {
        host: host_text(&url),
        port: url.port().unwrap_or(default_port(security)),
        security,
        user,
        password,
        ca_pem: match ca_pem {
            Some(read) => Some(read?),
            None => None,
        },
        pace,
        sign,
    })
}

fn sign(raw: &Text, preset: Signing, sheet: &Sheet<'_>) -> Sign {
    let Some(typed) = raw else {
        return match preset {
            Signing::Ours => Sign::All,
            Signing::Relays => Sign::Nothing,
        };
    };
    match typed.value.as_str() {
        "all" => Sign::All,
        "rsa" => Sign::Rsa,
        "none" => Sign::Nothing,
        other => {
            let help = match nearest(other, ["all", "rsa", "none"]) {
                Some(meant) => format!("did you mean `{meant}`?"),
                None => "`all` sends every signature, `rsa` that one alone, `none` no signature of ours".to_owned(),
            };
            sheet.error(
                "relay-sign",
                typed.span.clone(),
                format!("`{}` is no way to sign", other.escape_debug()),
                help,
            );
            Sign::All
        }
    }
}

fn read_url(typed: &Typed<String>, sheet: &Sheet<'_>) -> Option<Url> {
    let bad = |message: String, help: &str| sheet.error("relay-url", typed.span.clone(), message, help);
    let Ok(url) = Url::parse(typed.value.trim()) else {
        if has_password_mark(&typed.value) {
            note_password_in_url(typed, sheet);
        } else {
            bad(format!("`{}` is no relay URL", typed.value), FORMS);
        }
        return None;
    };
    if url.password().is_some() {
        note_password_in_url(typed, sheet);
        return None;
    }
    if !matches!(url.host(), Some(host) if host_is_sound(&host)) {
        bad(format!("`{}` names no host", typed.value), FORMS);
        return None;
    }
    if percent_decoded(url.username()).chars().any(char::is_control) {
        bad("the user's name holds a control character".to_owned(), FORMS);
        return None;
    }
    if !matches!(url.path(), "" | "/") || url.query().is_some() || url.fragment().is_some() {
        bad(format!("`{}` has more than a host and a port", typed.value), FORMS);
        return None;
    }
    Some(url)
}

fn host_is_sound(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(name) => idna::domain_to_ascii(&percent_decoded(name)).is_ok_and(|ascii| !ascii.is_empty()),
        Host::Ipv4(_) | Host::Ipv6(_) => true,
    }
}

fn host_text(url: &Url) -> String {
    match url.host() {
        Some(Host::Domain(name)) => {
            idna::domain_to_ascii(&percent_decoded(name)).expect("read_url refused an unsound host")
        }
        Some(Host::Ipv4(ip)) => ip.to_string(),
        Some(Host::Ipv6(ip)) => ip.to_string(),
        None => unreachable!("read_url refused a URL without a host"),
    }
}

fn has_password_mark(text: &str) -> bool {
    let authority = text.split_once("://").map_or(text, |(_, rest)| rest);
    authority.rsplit_once('@').is_some_and(|(user, _)| user.contains(':'))
}

fn note_password_in_url(typed: &Typed<String>, sheet: &Sheet<'_>) {
    let message = "the URL holds a password (shown here as `***`)";
    let help = "write smtps://user@host and put the password into a file (mode 0600) named by `password_file`, \
                or into FIELDPOST_RELAY_PASSWORD; change the password if this file was ever committed";
    sheet.error("relay-password-in-url", typed.span.clone(), message, help);
}

fn note_missing_password(typed: &Typed<String>, sheet: &Sheet<'_>) {
    let place = sheet.place(typed.span.clone());
    let message = "no password is known for this relay, so nothing can be mailed through it from here";
    sheet.note(
        Diagnostic::warning("relay-password-missing", place, message)
            .help("name a file with `password_file = \"relay.password\"`, or set FIELDPOST_RELAY_PASSWORD"),
    );
}

fn security(url: &Url, typed: &Typed<String>, allowed: ClearText, sheet: &Sheet<'_>) -> Option<Security> {
    let is_fine = allowed == ClearText::Allowed || is_loopback(&host_text(url));
    match url.scheme() {
        "smtps" => Some(Security::Implicit),
        "smtp+starttls" => Some(Security::StartTls),
        "smtp" if is_fine => Some(Security::ClearText),
        "smtp" => {
            let message = format!("mail to `{}` would cross the network in clear text", host_text(url));
            let help = "write smtps:// (port 465) or smtp+starttls:// (port 587); \
                        on a network you trust, add `allow_clear_text = true`";
            sheet.error("relay-clear-text", typed.span.clone(), message, help);
            None
        }
        other => {
            sheet.error("relay-url", typed.span.clone(), format!("`{other}` is no way to reach a relay"), FORMS);
            None
        }
    }
}

/// Only names that cannot leave this machine: `localhost` itself, and addresses.
fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

fn default_port(security: Security) -> u16 {
    match security {
        Security::Implicit => 465,
        Security::StartTls => 587,
        Security::ClearText => 25,
    }
}

/// A password is the first line of its file, which nobody but its owner may read.
fn password(file: &Typed<String>, sheet: &Sheet<'_>, root: &Path) -> Option<Secret> {
    let bytes = named::read_secret("relay-password", file, root, sheet)?;
    let text = String::from_utf8(bytes).ok();
    let line = text.as_deref().and_then(|text| text.trim_start_matches('\u{FEFF}').lines().next()).unwrap_or_default();
    if line.is_empty() {
        let message = format!("`{}` holds no password", file.value);
        sheet.error("relay-password", file.span.clone(), message, "write the password on its first line");
        return None;
    }
    Some(Secret::new(line))
}

fn certificates(file: &Typed<String>, sheet: &Sheet<'_>, root: &Path) -> Option<Vec<u8>> {
    let bytes = named::read(file, root, sheet)?;
    if !String::from_utf8_lossy(&bytes).contains("-----BEGIN CERTIFICATE-----") {
        let message = format!("`{}` holds no certificate in PEM form", file.value);
        let help = "a PEM file begins with -----BEGIN CERTIFICATE-----; \
                    `openssl x509 -inform der -in ca.der -out ca.pem` makes one";
        sheet.error("relay-ca", file.span.clone(), message, help);
        return None;
    }
    Some(bytes)
}

/// Text with `%40` and the like decoded; what is no escape stays as it is.
fn percent_decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}
