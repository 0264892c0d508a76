//! What is asked about the publication's domains, of whom, and where the settings stand that the
//! answers are about: `[check]`.

use std::net::{IpAddr, SocketAddr};

use super::raw::{Raw, Text};
use super::sheet::Sheet;
use crate::diagnostic::Place;

/// The port of DNS (RFC 1035, 4.2).
const DNS_PORT: u16 = 53;

/// Where `fieldpost.toml` says what DNS is asked about.
#[derive(Debug, Clone)]
pub struct Places {
    /// The sender; the site's address when the sender was derived from it.
    pub from: Place,
    /// The site's address.
    pub base_url: Place,
    /// Each relay, in their order.
    pub relays: Vec<Place>,
    /// Each key of `[[dkim]]`, in their order.
    pub dkim: Vec<Place>,
}

/// The places of settings without a mistake.
pub(super) fn places(raw: &Raw, sheet: &Sheet<'_>) -> Places {
    let of = |text: &Text| text.as_ref().map(|typed| sheet.place(typed.span.clone()));
    let base_url = of(&raw.publication.base_url).unwrap_or_else(|| sheet.whole());
    Places {
        from: of(&raw.mail.from).unwrap_or_else(|| base_url.clone()),
        base_url,
        relays: raw.relays.iter().map(|relay| of(&relay.url).unwrap_or_else(|| sheet.whole())).collect(),
        dkim: raw.dkim.iter().map(|key| of(&key.selector).unwrap_or_else(|| sheet.whole())).collect(),
    }
}

/// The DNS server that `check --dns` asks; `None` is the system's.
pub(super) fn resolver(raw: &Text, sheet: &Sheet<'_>) -> Option<SocketAddr> {
    let typed = raw.as_ref()?;
    let text = typed.value.trim();
    let alone = |ip: IpAddr| SocketAddr::new(ip, DNS_PORT);
    let found = text.parse().ok().or_else(|| text.parse().ok().map(alone));
    if found.is_none() {
        let message = format!("`{}` is no address of a DNS server", text.escape_debug());
        let help = "an IP address, with a port if it is not 53: resolver = \"9.9.9.9\" or \"127.0.0.1:5353\"";
        sheet.error("check-resolver", typed.span.clone(), message, help);
    }
    found
}
