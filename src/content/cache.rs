//! What earlier loads found out about each file, so that the next one reads and parses only what
//! has changed. It may be removed at any time, and a damaged one is ignored.
//!
//! Of each file two things are kept: what its head says, which depends on the file alone, and
//! what its text says, which also depends on what it links to ([`super::lookup`]). Everything that
//! concerns several posts (ids, slugs, dates from git, whose moment has come) is found out anew
//! by every load.
//!
//! A file that looks as it did is not read. One that was changed a moment before it was read might
//! have been changed again, unseen, in the same step of the clock; so it is read again by the next
//! load, as git does with what it calls racily clean.

use std::collections::HashMap;
use std::ops::Range;
use std::path::Path;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::{Look, Options};
use crate::files::{self, Fingerprint, Stamp, packed, unpacked};

/// Raised whenever the form of what is kept changes.
const FORM: u32 = 1;

/// How many bytes at the beginning say how long the index is.
const LENGTH: usize = size_of::<u64>();

/// Where loads keep what they found out.
#[derive(Debug, Clone, Copy)]
pub struct Keep<'a> {
    /// A folder of the cache, which need not exist.
    pub folder: &'a Path,
    /// Which program this is: what another one kept is not used.
    pub program: &'a str,
}

/// What an earlier load kept, for this load.
#[derive(Default)]
pub(super) struct Cache {
    home: Option<Home>,
    /// When the load that kept it began.
    kept_at: i64,
    slots: HashMap<String, Slot>,
    /// What the slots point into.
    bytes: Vec<u8>,
}

/// Where this load keeps what it finds out.
struct Home {
    store: files::Cache,
    name: &'static str,
    /// A digest of all that every file depends on.
    key: String,
    /// When this load began, by the clock of the disk.
    moment: i64,
}

#[derive(Serialize, Deserialize)]
struct Index {
    key: String,
    moment: i64,
    slots: Vec<Slot>,
}

/// What is kept of one file.
#[derive(Serialize, Deserialize)]
pub(super) struct Slot {
    name: String,
    stamp: Stamp,
    head: Range<usize>,
    text: Range<usize>,
}

/// Something to be kept.
pub(super) enum Part {
    /// As it was, by its place in what was kept.
    Kept(Range<usize>),
    /// Anew; nothing when it is empty.
    New(Vec<u8>),
}

/// All that is to be kept of one file.
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) stamp: Stamp,
    pub(super) head: Part,
    pub(super) text: Part,
}

impl Entry {
    /// A file that was not known.
    pub(super) fn new(name: &str, stamp: Stamp, head: &impl Serialize) -> Option<Self> {
        let (head, text) = (Part::New(packed(head)?), Part::New(Vec::new()));
        Some(Self { name: name.to_owned(), stamp, head, text })
    }

    /// A file of which all is as it was, but perhaps its stamp.
    pub(super) fn kept(slot: &Slot, stamp: Stamp) -> Self {
        let (head, text) = (Part::Kept(slot.head.clone()), Part::Kept(slot.text.clone()));
        Self { name: slot.name.clone(), stamp, head, text }
    }
}

impl Cache {
    /// Reads what was kept, if it was kept for the same program and settings.
    pub(super) fn open(options: &Options<'_>) -> Self {
        let Some(keep) = options.keep else { return Self::default() };
        let store = files::Cache::at(keep.folder.to_owned());
        let Some(moment) = store.moment() else { return Self::default() };
        let name = match options.look {
            Look::Build => "posts",
            Look::Check => "posts-checked",
        };
        let home = Home { store, name, key: key(options, keep.program), moment };
        let kept = home.store.get(home.name).and_then(read).filter(|(index, _)| index.key == home.key);
        let Some((index, bytes)) = kept else { return Self { home: Some(home), ..Self::default() } };
        let slots = index.slots.into_iter().map(|slot| (slot.name.clone(), slot)).collect();
        Self { home: Some(home), kept_at: index.moment, slots, bytes }
    }

    /// When this load began, by the clock of the disk; `None` when nothing is kept.
    pub(super) fn moment(&self) -> Option<i64> {
        self.home.as_ref().map(|home| home.moment)
    }

    /// What is kept of a file.
    pub(super) fn slot(&self, name: &str) -> Option<&Slot> {
        self.slots.get(name)
    }

    /// Whether a file that looks like this is what it was when it was read.
    pub(super) fn trusts(&self, slot: &Slot, stamp: Stamp) -> bool {
        slot.stamp == stamp && stamp.is_settled_at(self.kept_at)
    }

    /// What is kept of a file's head.
    pub(super) fn head<T: DeserializeOwned>(&self, slot: &Slot) -> Option<T> {
        unpacked(self.bytes.get(slot.head.clone())?)
    }

    /// What is kept of a file's text.
    pub(super) fn text<T: DeserializeOwned>(&self, part: &Part) -> Option<T> {
        match part {
            Part::Kept(range) => unpacked(self.bytes.get(range.clone())?),
            Part::New(_) => None,
        }
    }

    /// Keeps what this load found out, unless all of it is kept already. What cannot be kept is
    /// found out again next time.
    pub(super) fn save(&self, entries: &[Entry]) {
        let Some(home) = self.home.as_ref().filter(|home| self.is_news(entries, home.moment)) else { return };
        let mut blob = Vec::with_capacity(self.bytes.len() + (self.bytes.len() >> 4));
        let mut add = |part: &Part| {
            let start = blob.len();
            match part {
                Part::Kept(range) => blob.extend_from_slice(self.bytes.get(range.clone()).unwrap_or_default()),
                Part::New(bytes) => blob.extend_from_slice(bytes),
            }
            start..blob.len()
        };
        let slot = |entry: &Entry| {
            let (head, text) = (add(&entry.head), add(&entry.text));
            Slot { name: entry.name.clone(), stamp: entry.stamp, head, text }
        };
        let slots = entries.iter().map(slot).collect();
        let Some(index) = packed(&Index { key: home.key.clone(), moment: home.moment, slots }) else { return };
        let length = (index.len() as u64).to_le_bytes();
        let _ = home.store.put(home.name, &[&length[..], &index, &blob].concat());
    }

    /// Whether anything differs from what is kept, or can be trusted from now on.
    fn is_news(&self, entries: &[Entry], moment: i64) -> bool {
        entries.len() != self.slots.len()
            || entries.iter().any(|entry| {
                let is_new = matches!(entry.head, Part::New(_)) || matches!(entry.text, Part::New(_));
                let stamp = entry.stamp;
                is_new
                    || self.slots.get(&entry.name).is_none_or(|slot| slot.stamp != stamp)
                    || (stamp.is_settled_at(moment) && !stamp.is_settled_at(self.kept_at))
            })
    }
}

/// Takes what was kept apart into the index and what it points into.
fn read(mut kept: Vec<u8>) -> Option<(Index, Vec<u8>)> {
    let length = kept.first_chunk::<LENGTH>().map(|length| u64::from_le_bytes(*length))?;
    let end = LENGTH.checked_add(usize::try_from(length).ok()?)?;
    let index = unpacked(kept.get(LENGTH..end)?)?;
    kept.drain(..end);
    Some((index, kept))
}

/// A digest of all that what is kept depends on, besides the files.
fn key(options: &Options<'_>, program: &str) -> String {
    Fingerprint::of("posts")
        .with(&(FORM, env!("CARGO_PKG_VERSION"), program))
        .with(&(options.root, options.source))
        .with(&(options.time_zone.name(), options.base_url.as_str()))
        .with(options.pictures.macros())
        .hex()
}
