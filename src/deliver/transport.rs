//! Where mail goes: to relays, into a Maildir, or nowhere but memory.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use super::health::Health;
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

/// One relay and how many connections to open to it.
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
}

/// One connection's worth of a transport, before it is opened.
pub(super) enum Lane {
    /// A connection to a relay.
    Smtp {
        /// The relay.
        route: Route,
        /// Its health, shared by its lanes.
        health: Arc<Health>,
    },
    /// The outbox.
    Maildir(Maildir),
    /// Memory.
    Memory(Arc<Mutex<Vec<Vec<u8>>>>),
}

impl Lane {
    /// How many messages a lane takes at once: the outbox syncs its folder once for many.
    pub(super) fn batch(&self) -> usize {
        match self {
            Self::Smtp { .. } | Self::Memory(_) => 1,
            Self::Maildir(_) => 32,
        }
    }
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

    /// The lanes to open: one worker each.
    pub(super) fn lanes(&self) -> Result<Vec<Lane>, String> {
        match self {
            Self::Smtp(routes) => Ok(routes.iter().flat_map(relay_lanes).collect()),
            Self::Maildir(path) => {
                let maildir = Maildir::open(path).map_err(|error| error.to_string())?;
                Ok(vec![Lane::Maildir(maildir)])
            }
            Self::Memory(store) => Ok(vec![Lane::Memory(Arc::clone(store))]),
        }
    }
}

/// The health of every relay among the lanes, each once.
pub(super) fn healths(lanes: &[Lane]) -> Vec<Arc<Health>> {
    let mut healths: Vec<Arc<Health>> = Vec::new();
    for lane in lanes {
        match lane {
            Lane::Smtp { health, .. } if !healths.iter().any(|known| Arc::ptr_eq(known, health)) => {
                healths.push(Arc::clone(health));
            }
            Lane::Smtp { .. } | Lane::Maildir(_) | Lane::Memory(_) => {}
        }
    }
    healths
}

fn relay_lanes(route: &Route) -> Vec<Lane> {
    let health = Arc::new(Health::default());
    (0..route.connections.max(1)).map(|_| Lane::Smtp { route: route.clone(), health: Arc::clone(&health) }).collect()
}
