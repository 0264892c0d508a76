//! Where mail goes: to relays, into a Maildir, or nowhere but memory.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use super::outbox;
use super::relays::Relay;
use crate::files::Maildir;
use crate::smtp;

/// How messages leave.
#[derive(Clone)]
pub enum Transport {
    /// To relays, over several connections each. All relays share the work.
    Smtp(Vec<Route>),
    /// Into a Maildir: the outbox of a publication without a relay.
    Maildir(PathBuf),
    /// Into memory: for rehearsals.
    Memory(Arc<Mutex<Vec<Vec<u8>>>>),
}

/// One relay and how to use it.
#[derive(Clone)]
pub struct Route {
    /// The relay's name in reports: `host:port`.
    pub name: String,
    /// How to reach it.
    pub settings: Arc<smtp::Settings>,
    /// What its certificate is checked with.
    pub tls: Arc<smtp::Tls>,
    /// How many connections at once, at least 1.
    pub connections: usize,
    /// Its share of the work among several; 0 is "only when no other can".
    pub weight: u32,
}

/// What takes messages: one worker each.
pub(super) enum Lane {
    /// A connection to a relay, not opened yet.
    Smtp(Route),
    /// The outbox.
    Maildir(Maildir),
    /// Memory.
    Memory(Arc<Mutex<Vec<Vec<u8>>>>),
}

impl Lane {
    /// How many deliveries keep this lane busy: those on the wire and the one that follows, whose
    /// envelope rides behind the last one's dot; or what fills its hands.
    pub(super) fn width(&self) -> usize {
        match self {
            Self::Smtp(route) => route.settings.window.max(1) + 1,
            Self::Maildir(_) | Self::Memory(_) => 2 * outbox::BATCH,
        }
    }
}

/// One place to send to, with its lanes.
pub(super) struct Place {
    pub relay: Arc<Relay>,
    pub lanes: Vec<Lane>,
}

impl Transport {
    /// What reports call the place mail goes to.
    pub fn name(&self) -> String {
        match self {
            Self::Smtp(routes) => routes.iter().map(|route| route.name.as_str()).collect::<Vec<_>>().join(", "),
            Self::Maildir(path) => format!("maildir:{}", path.display()),
            Self::Memory(_) => "memory".to_owned(),
        }
    }

    /// The places to send to, at least one.
    pub(super) fn places(&self) -> Result<Vec<Place>, String> {
        let one = |lane| vec![Place { relay: Relay::new(self.name(), 1), lanes: vec![lane] }];
        match self {
            Self::Smtp(routes) => Ok(routes.iter().map(place).collect()),
            Self::Maildir(path) => {
                let maildir = Maildir::open(path).map_err(|error| error.to_string())?;
                Ok(one(Lane::Maildir(maildir)))
            }
            Self::Memory(store) => Ok(one(Lane::Memory(Arc::clone(store)))),
        }
    }
}

fn place(route: &Route) -> Place {
    let lanes = (0..route.connections.max(1)).map(|_| Lane::Smtp(route.clone())).collect();
    Place { relay: Relay::new(route.name.clone(), route.weight), lanes }
}
