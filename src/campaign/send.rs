//! Delivers whatever the ledger holds, and test copies that it never hears of.

use std::sync::Arc;

use tokio::sync::watch;

use super::open::{self, Freezing};
use super::prepare::Prepared;
use crate::audience::{TokenKey, preferences_url, unsubscribe_url};
use crate::config::{self, Clock, Config};
use crate::deliver::{self, DeliverError, Ending, Job, Merge, Patience, Route, Stop, Tally, Transport};
use crate::diagnostic::Diagnostic;
use crate::domain::address::Address;
use crate::domain::ids::{Generation, SubscriberId};
use crate::domain::issue::Slot;
use crate::domain::post::Post;
use crate::domain::traffic::RelayLimits;
use crate::ledger::{Ledger, LedgerError, Sender};
use crate::message::{self, Message, MessageIdKey, Recipient};
use crate::smtp;

/// Why nothing, or not everything, was sent.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// The ledger failed, or another process is the sender.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The run broke off.
    #[error(transparent)]
    Deliver(#[from] DeliverError),
    /// A relay's settings cannot be used.
    #[error("relay `{0}`: {1}")]
    Relay(String, String),
    /// A test issue cannot be made.
    #[error("the issue cannot be rendered")]
    Unrenderable(Box<Diagnostic>),
    /// A relay refused a test copy, or could not be reached.
    #[error("{0}")]
    Refused(String),
}

/// How a run ended.
#[derive(Debug)]
pub struct Sent {
    /// Done, interrupted, or without a relay.
    pub ending: Ending,
}

/// Where this publication's mail goes: its relays, or the Maildir outbox without any.
fn transport(config: &Config) -> Result<Transport, SendError> {
    if config.relays.is_empty() {
        return Ok(Transport::Maildir(config.outbox.clone()));
    }
    config.relays.iter().map(|relay| route(relay, config)).collect::<Result<Vec<_>, _>>().map(Transport::Smtp)
}

fn route(relay: &config::Relay, config: &Config) -> Result<Route, SendError> {
    let name = format!("{}:{}", relay.host, relay.port);
    let wrong = |error: &dyn std::fmt::Display| SendError::Relay(name.clone(), error.to_string());
    let credentials = match (&relay.user, &relay.password) {
        (None, _) => None,
        (Some(user), Some(password)) => {
            Some(smtp::Credentials { user: user.clone(), password: smtp::Secret::new(password.expose()) })
        }
        (Some(user), None) => return Err(wrong(&format!("the password of `{user}` is not known"))),
    };
    let host_name = config.host_name.as_deref();
    let settings = smtp::Settings {
        extra_roots_pem: relay.ca_pem.clone(),
        credentials,
        client_name: host_name.and_then(|name| smtp::ClientName::parse(name).ok()).unwrap_or_default(),
        timeouts: config.smtp_patience.map_or_else(smtp::Timeouts::default, smtp::Timeouts::at_most),
        window: relay.pace.window,
        max_messages: relay.pace.max_messages.map(u64::from),
        max_age: relay.pace.max_age.length().to_std().ok(),
        ..smtp::Settings::new(&relay.host, relay.port, security(relay))
    };
    let tls = smtp::Tls::for_settings(&settings).map_err(|error| wrong(&error))?;
    Ok(Route { limits: limits(relay, name), settings: Arc::new(settings), tls: Arc::new(tls) })
}

fn limits(relay: &config::Relay, name: String) -> RelayLimits {
    let config::RelayPace { connections, rate, daily, warm_up, weight, .. } = relay.pace.clone();
    RelayLimits { name, connections, rate, daily, warm_up, weight }
}

fn timing(config: &Config) -> deliver::Timing {
    deliver::Timing {
        domain_rates: config.timing.domain_rates.clone(),
        day: config.timing.day,
        zone: config.publication.time_zone,
        rules: config.rules.clone(),
    }
}

fn security(relay: &config::Relay) -> smtp::Security {
    match relay.security {
        config::Security::Implicit => smtp::Security::ImplicitTls,
        config::Security::StartTls => smtp::Security::StartTls,
        // The configuration has refused clear text to anywhere but this machine, unless the
        // author insisted.
        config::Security::ClearText => smtp::Security::ClearText(smtp::ClearTextTo::Anywhere),
    }
}

/// Delivers until nothing is due. See [`deliver::run`].
pub async fn send(
    config: &Config,
    ledger: Ledger,
    sender: Sender,
    patience: Patience,
    clock: Clock,
    tally: Arc<Tally>,
    stop: watch::Sender<Stop>,
) -> Result<Sent, SendError> {
    let publication = &config.publication;
    let merge = Merge {
        base_url: publication.base_url.clone(),
        unsubscribe_key: unsubscribe_key(&ledger)?,
        message_id_key: message_id_key(&ledger)?,
        signers: config.signers(),
    };
    let transport = transport(config)?;
    let begin_ahead = config.begin_ahead;
    let timing = timing(config);
    let job = Job { ledger, sender, transport, merge, timing, begin_ahead, patience, clock, tally };
    Ok(Sent { ending: deliver::run(job, stop).await? })
}

/// Sends one copy of a post to each address, marked `[TEST]`, through the publication's own
/// transport. Nothing is recorded: a test is no delivery. Its unsubscribe link belongs to
/// nobody and does nothing. Returns where they went, and what the author should know.
pub async fn send_test(
    prepared: &Prepared<'_>,
    ledger: &Ledger,
    post: &Post,
    addresses: &[Address],
    clock: Clock,
) -> Result<(String, Vec<Diagnostic>), SendError> {
    let transport = transport(prepared.config)?;
    let message_id_key = message_id_key(ledger)?;
    let publication = &prepared.config.publication;
    let mut test = post.clone();
    test.title = format!("[TEST] {}", post.title);
    let Freezing { frozen, row, warnings } =
        open::freeze(prepared, &test).map_err(|wrong| SendError::Unrenderable(Box::new(wrong)))?;
    let (base_url, key) = (&publication.base_url, unsubscribe_key(ledger)?);
    let unsubscribe_url = unsubscribe_url(base_url, &key, SubscriberId(0));
    let values = [(Slot::PreferencesUrl, preferences_url(base_url, &key, SubscriberId(0)))];
    let signers = prepared.config.signers();
    let now = clock.now();
    for (address, number) in addresses.iter().zip(0..) {
        let generation = Generation(u32::try_from(now.timestamp()).unwrap_or_default());
        let message_id = message::message_id(&message_id_key, &frozen, &row.id, SubscriberId(-1 - number), generation);
        let recipient = Recipient { address, name: None, unsubscribe_url: &unsubscribe_url, values: &values };
        let message = message::assemble(&frozen, &signers, &recipient, &message_id, now)
            .map_err(|error| SendError::Refused(error.to_string()))?;
        send_one(&transport, &publication.from.address, address, &message).await?;
    }
    Ok((transport.name(), warnings))
}

/// The key of unsubscribe tokens. Its number is 1: the first of its kind.
fn unsubscribe_key(ledger: &Ledger) -> Result<TokenKey, LedgerError> {
    Ok(TokenKey::new(1, ledger.secret("unsubscribe")?.bytes()))
}

fn message_id_key(ledger: &Ledger) -> Result<MessageIdKey, LedgerError> {
    Ok(MessageIdKey::new(ledger.secret("message-id")?.bytes()))
}

async fn send_one(transport: &Transport, from: &Address, to: &Address, message: &Message) -> Result<(), SendError> {
    let refused = |error: &dyn std::fmt::Display| SendError::Refused(error.to_string());
    match transport {
        Transport::Smtp(routes) => {
            let route = routes.first().expect("a transport over SMTP has a relay");
            let failed = |failure: smtp::Failure| SendError::Refused(format!("{}: {failure}", route.limits.name));
            let mut session = smtp::Session::connect(&route.settings, &route.tls).await.map_err(failed)?;
            let envelope = smtp::Envelope::new(Some(from.clone()), to.clone());
            let sendable = smtp::Sendable::new(&envelope, message.content.pieces()).map_err(|error| refused(&error))?;
            session.send(&sendable, || Ok(())).await.map_err(failed)?;
            session.quit().await;
        }
        Transport::Maildir(folder) => {
            let outbox = crate::files::Maildir::open(folder).map_err(|error| refused(&error))?;
            outbox.deliver(message.message_id.as_str(), &message.to_vec()).map_err(|error| refused(&error))?;
        }
        Transport::Memory(store) => {
            store.lock().expect("no thread panics while holding this lock").push(message.to_vec());
        }
    }
    Ok(())
}
