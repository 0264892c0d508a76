//! What was found in a list, and whom it named already.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::path::Path;

use aws_lc_rs::digest::{SHA256, digest};

use crate::diagnostic::{Diagnostic, Place, Severity};
use crate::domain::address::Address;

/// More findings than this are only counted: a list of a million bad rows must not fill the
/// memory, and nobody reads a thousand and first.
const MAX_TOLD: usize = 1000;

/// The findings so far.
#[derive(Debug, Default)]
pub(super) struct Notes {
    told: Vec<Diagnostic>,
    untold_errors: u64,
    untold_warnings: u64,
    /// How many rows were left out because the person was not active.
    pub left_out: u64,
}

impl Notes {
    /// Notes a finding; `make` is called only if there is room for it.
    pub(super) fn add(&mut self, severity: Severity, make: impl FnOnce() -> Diagnostic) {
        if self.told.len() < MAX_TOLD {
            self.told.push(make());
        } else {
            match severity {
                Severity::Error => self.untold_errors += 1,
                Severity::Warning => self.untold_warnings += 1,
            }
        }
    }

    /// Everything found, closed by what was only counted.
    pub(super) fn finish(mut self, file: &Path) -> Vec<Diagnostic> {
        let place = || Place::file(file);
        if self.untold_errors > 0 {
            let message = format!("{} more rows cannot be used", self.untold_errors);
            self.told.push(Diagnostic::error("many-bad-rows", place(), message));
        }
        if self.untold_warnings > 0 {
            let message = format!("{} more warnings of this kind", self.untold_warnings);
            self.told.push(Diagnostic::warning("many-bad-rows", place(), message));
        }
        if self.left_out > 0 {
            let message = format!("{} rows are not `active` and were left out", self.left_out);
            self.told.push(
                Diagnostic::warning("not-active", place(), message)
                    .help("people who left or never confirmed do not come back by a list"),
            );
        }
        self.told
    }
}

/// The addresses seen so far and where each first stood, by 16 bytes of a digest: a million of
/// them fit in 70 MB.
#[derive(Debug)]
pub(super) struct Seen<P>(HashMap<[u8; 16], P>);

impl<P> Default for Seen<P> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<P: Copy> Seen<P> {
    /// Remembers where an address stands; the first place when it was there before.
    pub(super) fn before(&mut self, address: &Address, at: P) -> Option<P> {
        let hash = digest(&SHA256, address.key().as_bytes());
        let key: [u8; 16] = hash.as_ref()[..16].try_into().expect("a SHA-256 digest has 32 bytes");
        match self.0.entry(key) {
            Entry::Occupied(first) => Some(*first.get()),
            Entry::Vacant(new) => {
                new.insert(at);
                None
            }
        }
    }
}
