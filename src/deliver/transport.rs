//! Where mail goes: to relays, into a Maildir, or nowhere but memory.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use super::outbox;
use super::relays::Relay;
use crate::domain::traffic::RelayLimits;
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
    /// Its name in reports, and what it may be given.
    pub limits: RelayLimits,
    /// How to reach it.
    pub settings: Arc<smtp::Settings>,
    /// What its certificate is checked with.
    pub tls: Arc<smtp::Tls>,
}

/// What takes messages: one worker each.
pub(super) enum Lane {
    /// A connection to a relay, not opened yet.
    Smtp(Route),
    /// The outbox.
    Maildir(Arc<Maildir>),
    /// Memory.
    Memory(Arc<Mutex<Vec<Vec<u8>>>>),
}

impl Lane {
    /// How many messages may be on the wire of this lane at once, or fill its hands.
    pub(super) fn width(&self) -> usize {
        match self {
            Self::Smtp(route) => route.settings.window.max(1),
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
            Self::Smtp(routes) => routes.iter().map(|route| route.limits.name.as_str()).collect::<Vec<_>>().join(", "),
            Self::Maildir(path) => format!("maildir:{}", path.display()),
            Self::Memory(_) => "memory".to_owned(),
        }
    }

    /// What each place may be given, in the order of the places.
    pub(super) fn limits(&self) -> Vec<RelayLimits> {
        match self {
            Self::Smtp(routes) => routes.iter().map(|route| route.limits.clone()).collect(),
            Self::Maildir(_) | Self::Memory(_) => vec![RelayLimits::unlimited(self.name())],
        }
    }

    /// The places to send to, at least one.
    pub(super) fn places(&self) -> Result<Vec<Place>, String> {
        let one = |lane| vec![Place { relay: Relay::new(0, self.name()), lanes: vec![lane] }];
        match self {
            Self::Smtp(routes) => Ok(routes.iter().enumerate().map(|(number, route)| place(number, route)).collect()),
            Self::Maildir(path) => {
                let maildir = Maildir::open(path).map_err(|error| error.to_string())?;
                Ok(one(Lane::Maildir(Arc::new(maildir))))
            }
            Self::Memory(store) => Ok(one(Lane::Memory(Arc::clone(store)))),
        }
    }
}

fn place(number: usize, route: &Route) -> Place {
    let lanes = (0..route.limits.connections.max(1)).map(|_| Lane::Smtp(route.clone())).collect();
    Place { relay: Relay::new(number, route.limits.name.clone()), lanes }
}
