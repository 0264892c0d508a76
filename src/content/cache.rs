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
//!
//! What is kept is divided into parts by the files' names, so that a load after one change writes
//! one part, and all processors read and write.

use std::collections::HashMap;
use std::ops::Range;
use std::path::Path;

use rayon::prelude::*;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::lookup::digest;
use super::{Look, Options};
use crate::files::{self, Fingerprint, Stamp, packed, unpacked};

/// Raised whenever the form of what is kept changes.
const FORM: u32 = 2;

/// How many parts there are.
const PARTS: u64 = 16;

/// How many bytes at the beginning of a part say how long its index is.
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
    /// By their numbers; none when nothing is kept.
    parts: Vec<Part>,
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

/// What is kept of the files of one part.
#[derive(Default)]
struct Part {
    /// When the load that kept it began.
    kept_at: i64,
    slots: HashMap<String, Slot>,
    /// The index, and what the slots point into.
    bytes: Vec<u8>,
    /// Where the index ends.
    start: usize,
}

#[derive(Serialize, Deserialize)]
struct Index {
    key: String,
    moment: i64,
    slots: Vec<Slot>,
}

/// What is kept of one file.
#[derive(Serialize, Deserialize)]
struct Slot {
    name: String,
    stamp: Stamp,
    head: Range<usize>,
    text: Range<usize>,
}

/// What an earlier load kept of one file.
#[derive(Clone, Copy)]
pub(super) struct Known<'a> {
    part: &'a Part,
    slot: &'a Slot,
}

/// Something to be kept.
pub(super) enum Piece {
    /// As it was, by its place in what was kept.
    Kept(Range<usize>),
    /// Anew; nothing when it is empty.
    New(Vec<u8>),
}

/// All that is to be kept of one file.
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) stamp: Stamp,
    pub(super) head: Piece,
    pub(super) text: Piece,
}

impl Entry {
    /// A file that was not known.
    pub(super) fn new(name: &str, stamp: Stamp, head: &impl Serialize) -> Option<Self> {
        let (head, text) = (Piece::New(packed(head)?), Piece::New(Vec::new()));
        Some(Self { name: name.to_owned(), stamp, head, text })
    }

    /// Whether nothing but its stamp may be new.
    fn is_kept(&self) -> bool {
        matches!((&self.head, &self.text), (Piece::Kept(_), Piece::Kept(_)))
    }
}

impl Known<'_> {
    /// Whether a file that looks like this is what it was when it was read.
    pub(super) fn is_trusted(self, stamp: Stamp) -> bool {
        self.slot.stamp == stamp && stamp.is_settled_at(self.part.kept_at)
    }

    /// What is kept of the file's head.
    pub(super) fn head<T: DeserializeOwned>(self) -> Option<T> {
        unpacked(self.part.bytes_at(&self.slot.head)?)
    }

    /// All that is kept of it, for a file of which nothing is new but perhaps its stamp.
    pub(super) fn entry(self, stamp: Stamp) -> Entry {
        let (head, text) = (Piece::Kept(self.slot.head.clone()), Piece::Kept(self.slot.text.clone()));
        Entry { name: self.slot.name.clone(), stamp, head, text }
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
        let parts = (0..PARTS).into_par_iter().map(|number| home.read(number).unwrap_or_default()).collect();
        Self { home: Some(home), parts }
    }

    /// When this load began, by the clock of the disk; `None` when nothing is kept.
    pub(super) fn moment(&self) -> Option<i64> {
        self.home.as_ref().map(|home| home.moment)
    }

    /// What is kept of a file.
    pub(super) fn known(&self, name: &str) -> Option<Known<'_>> {
        let part = self.part_of(name)?;
        Some(Known { part, slot: part.slots.get(name)? })
    }

    /// What is kept of the text of a file of which this is to be kept.
    pub(super) fn text<T: DeserializeOwned>(&self, entry: &Entry) -> Option<T> {
        match &entry.text {
            Piece::Kept(range) => unpacked(self.part_of(&entry.name)?.bytes_at(range)?),
            Piece::New(_) => None,
        }
    }

    fn part_of(&self, name: &str) -> Option<&Part> {
        self.parts.get(part_number(name))
    }

    /// Keeps what this load found out, unless all of it is kept already. What cannot be kept is
    /// found out again next time.
    pub(super) fn save(&self, entries: &[Entry]) {
        let Some(home) = &self.home else { return };
        let mut divided: Vec<Vec<&Entry>> = self.parts.iter().map(|_| Vec::new()).collect();
        for entry in entries {
            divided[part_number(&entry.name)].push(entry);
        }
        let all = self.parts.par_iter().zip(divided).enumerate();
        all.filter(|(_, (part, entries))| part.lacks(entries, home.moment)).for_each(|(number, (part, entries))| {
            if let Some(bytes) = part.with(&entries, home) {
                let _ = home.store.put(&home.file_name(number as u64), &bytes);
            }
        });
    }
}

impl Home {
    fn file_name(&self, number: u64) -> String {
        format!("{}-{number:x}", self.name)
    }

    /// Reads a part, and its index apart.
    fn read(&self, number: u64) -> Option<Part> {
        let bytes = self.store.get(&self.file_name(number))?;
        let length = bytes.first_chunk::<LENGTH>().map(|length| u64::from_le_bytes(*length))?;
        let start = LENGTH.checked_add(usize::try_from(length).ok()?)?;
        let index: Index = unpacked(bytes.get(LENGTH..start)?)?;
        let slots = index.slots.into_iter().map(|slot| (slot.name.clone(), slot)).collect();
        (index.key == self.key).then_some(Part { kept_at: index.moment, slots, bytes, start })
    }
}

impl Part {
    /// The bytes of a slot.
    fn bytes_at(&self, range: &Range<usize>) -> Option<&[u8]> {
        self.bytes.get(self.start..)?.get(range.clone())
    }

    /// Whether anything differs from what is kept, or can be trusted from now on.
    fn lacks(&self, entries: &[&Entry], moment: i64) -> bool {
        let is_news = |entry: &&Entry| {
            let stamp = entry.stamp;
            let becomes_settled = stamp.is_settled_at(moment) && !stamp.is_settled_at(self.kept_at);
            let is_kept = self.slots.get(&entry.name).is_some_and(|slot| slot.stamp == stamp);
            !entry.is_kept() || !is_kept || becomes_settled
        };
        entries.len() != self.slots.len() || entries.iter().any(is_news)
    }

    /// The bytes of a part that keeps these entries.
    fn with(&self, entries: &[&Entry], home: &Home) -> Option<Vec<u8>> {
        let mut blob = Vec::with_capacity(self.bytes.len() + (self.bytes.len() >> 4));
        let mut add = |piece: &Piece| {
            let start = blob.len();
            match piece {
                Piece::Kept(range) => blob.extend_from_slice(self.bytes_at(range).unwrap_or_default()),
                Piece::New(bytes) => blob.extend_from_slice(bytes),
            }
            start..blob.len()
        };
        let slot = |entry: &&Entry| {
            let (head, text) = (add(&entry.head), add(&entry.text));
            Slot { name: entry.name.clone(), stamp: entry.stamp, head, text }
        };
        let slots = entries.iter().map(slot).collect();
        let index = packed(&Index { key: home.key.clone(), moment: home.moment, slots })?;
        let length = (index.len() as u64).to_le_bytes();
        Some([&length[..], &index, &blob].concat())
    }
}

/// The part that keeps a file.
fn part_number(name: &str) -> usize {
    usize::try_from(digest(&name) % PARTS).expect("a small number")
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
