//! The mark file: what a killed process leaves in the page cache.
//!
//! One header and one slot per begun delivery, in a file that is written by `pwrite` and not
//! synced: it survives the death of the process, not of the machine, and its header says in
//! which life of the machine it was written. All numbers are little-endian.
//!
//! | bytes | header (4096) | | bytes | slot (256) |
//! |---|---|---|---|---|
//! | 0..16 | `fieldpost marks2` | | 0..8 | delivery |
//! | 16..24 | epoch | | 8..12 | attempt |
//! | 24..64 | boot id, padded with zeros | | 12..20 | `begun`, `dot` or `replied`, padded |
//! | 64..80 | checksum | | 20..22 | reply code |
//! | | | | 22..24 | length of the text |
//! | | | | 24..224 | text of the reply, masked |
//! | | | | 240..256 | checksum over 0..240, the epoch and the slot's number |
//!
//! A slot lies within one page, so that a kill cannot leave half of one.

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use aws_lc_rs::digest;

use super::open::beside;
use crate::domain::ids::DeliveryId;
use crate::domain::reply::Reply;

const HEADER: usize = 4096;
const SLOT: usize = 256;
const TEXT: usize = 200;
const MAGIC: &[u8; 16] = b"fieldpost marks2";

/// The number of a slot in the mark file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MarkSlot(pub(super) u32);

impl MarkSlot {
    /// Where it begins in the file, in bytes.
    fn place(self) -> u64 {
        (HEADER + self.0 as usize * SLOT) as u64
    }
}

/// What a slot says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Mark {
    /// The delivery began; no byte of the final dot has left.
    Begun,
    /// The final dot may have left.
    Dot,
    /// The relay answered the final dot.
    Replied(Reply),
}

/// A readable mark file: what it says of each delivery and attempt.
pub(super) type Marked = HashMap<(DeliveryId, u32), Mark>;

/// The mark file of a living sender.
#[derive(Debug)]
pub(super) struct Marks {
    file: File,
    epoch: u64,
}

impl Marks {
    /// Starts a new mark file for a new epoch. The old one is replaced whole: killed in
    /// between, either stands there, and neither speaks of this epoch's deliveries.
    pub(super) fn create(state: &Path, epoch: u64) -> io::Result<Self> {
        let path = mark_path(state);
        let fresh = beside(&path, ".new");
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(true).mode(0o600).open(&fresh)?;
        file.write_all_at(&header(epoch, &boot_id()?), 0)?;
        fs::rename(&fresh, &path)?;
        Ok(Self { file, epoch })
    }

    /// Marks beginnings, in the order of their slots: neighbours go in one write.
    pub(super) fn write_begun(&self, begun: &[(MarkSlot, DeliveryId, u32)]) -> io::Result<()> {
        for run in begun.chunk_by(|(one, ..), (next, ..)| one.0 + 1 == next.0) {
            let mut bytes = Vec::with_capacity(run.len() * SLOT);
            for (slot, delivery, attempt) in run {
                bytes.extend_from_slice(&encode(self.epoch, *slot, *delivery, *attempt, &Mark::Begun));
            }
            self.file.write_all_at(&bytes, run[0].0.place())?;
        }
        Ok(())
    }

    /// Writes what is known of a delivery into its slot.
    pub(super) fn write(&self, slot: MarkSlot, delivery: DeliveryId, attempt: u32, mark: &Mark) -> io::Result<()> {
        let bytes = encode(self.epoch, slot, delivery, attempt, mark);
        self.file.write_all_at(&bytes, slot.place())
    }
}

/// Reads the marks that the sender of `epoch` left in this boot. The error says, for the
/// author, why nothing in the file can be believed.
pub(super) fn read(state: &Path, epoch: u64) -> Result<Marked, String> {
    let path = mark_path(state);
    let bytes = fs::read(&path).map_err(|error| match error.kind() {
        ErrorKind::NotFound => "the mark file is missing".to_owned(),
        _ => format!("the mark file cannot be read: {error}"),
    })?;
    let boot = boot_id().map_err(|error| format!("the machine's boot id cannot be read: {error}"))?;
    check_header(&bytes, epoch, &boot)?;
    let slots = &bytes[HEADER.min(bytes.len())..];
    if slots.len() % SLOT != 0 {
        return Err("the mark file is truncated".to_owned());
    }
    let mut marked = Marked::new();
    for (number, slot) in (0..).zip(slots.chunks_exact(SLOT)) {
        // A hole that was never written is all zeros, and stands for nobody.
        if slot.iter().any(|byte| *byte != 0) {
            let (key, mark) = decode(epoch, MarkSlot(number), slot).ok_or("a slot of the mark file is damaged")?;
            marked.insert(key, mark);
        }
    }
    Ok(marked)
}

fn mark_path(state: &Path) -> PathBuf {
    beside(state, ".marks")
}

/// The name of this life of the machine: another one after every start of the kernel.
fn boot_id() -> io::Result<String> {
    Ok(fs::read_to_string("/proc/sys/kernel/random/boot_id")?.trim().to_owned())
}

fn header(epoch: u64, boot: &str) -> [u8; HEADER] {
    let mut bytes = [0; HEADER];
    bytes[..16].copy_from_slice(MAGIC);
    bytes[16..24].copy_from_slice(&epoch.to_le_bytes());
    let boot = &boot.as_bytes()[..boot.len().min(40)];
    bytes[24..24 + boot.len()].copy_from_slice(boot);
    let sum = checksum(&bytes[..64], epoch, u32::MAX);
    bytes[64..80].copy_from_slice(&sum);
    bytes
}

fn check_header(bytes: &[u8], epoch: u64, boot: &str) -> Result<(), String> {
    let Some(found) = bytes.get(..80) else { return Err("the mark file is truncated".to_owned()) };
    let written = u64::from_le_bytes(found[16..24].try_into().expect("eight bytes"));
    if &found[..16] != MAGIC || found[64..80] != checksum(&found[..64], written, u32::MAX) {
        return Err("the head of the mark file is damaged".to_owned());
    }
    if found != &header(written, boot)[..80] {
        return Err("the machine has been restarted since".to_owned());
    }
    if written != epoch {
        return Err("the mark file is another sender's".to_owned());
    }
    Ok(())
}

fn word(mark: &Mark) -> &'static [u8] {
    match mark {
        Mark::Begun => b"begun\0\0\0",
        Mark::Dot => b"dot\0\0\0\0\0",
        Mark::Replied(_) => b"replied\0",
    }
}

fn encode(epoch: u64, slot: MarkSlot, delivery: DeliveryId, attempt: u32, mark: &Mark) -> [u8; SLOT] {
    let mut bytes = [0; SLOT];
    bytes[..8].copy_from_slice(&delivery.0.to_le_bytes());
    bytes[8..12].copy_from_slice(&attempt.to_le_bytes());
    bytes[12..20].copy_from_slice(word(mark));
    if let Mark::Replied(reply) = mark {
        // `masked` begins with the code, a space and then the text, on at most 200 bytes.
        let line = reply.masked();
        let text = line.split_once(' ').map_or("", |(_, text)| text).as_bytes();
        bytes[20..22].copy_from_slice(&reply.code.to_le_bytes());
        let length = u16::try_from(text.len()).expect("a masked reply has at most 200 bytes");
        bytes[22..24].copy_from_slice(&length.to_le_bytes());
        bytes[24..24 + text.len()].copy_from_slice(text);
    }
    let sum = checksum(&bytes[..240], epoch, slot.0);
    bytes[240..].copy_from_slice(&sum);
    bytes
}

fn decode(epoch: u64, slot: MarkSlot, bytes: &[u8]) -> Option<((DeliveryId, u32), Mark)> {
    if bytes[240..] != checksum(&bytes[..240], epoch, slot.0) {
        return None;
    }
    let delivery = DeliveryId(i64::from_le_bytes(bytes[..8].try_into().ok()?));
    let attempt = u32::from_le_bytes(bytes[8..12].try_into().ok()?);
    let mark = match &bytes[12..20] {
        b"begun\0\0\0" => Mark::Begun,
        b"dot\0\0\0\0\0" => Mark::Dot,
        b"replied\0" => {
            let code = u16::from_le_bytes(bytes[20..22].try_into().ok()?);
            let length = usize::from(u16::from_le_bytes(bytes[22..24].try_into().ok()?)).min(TEXT);
            Mark::Replied(Reply::new(code, std::str::from_utf8(&bytes[24..24 + length]).ok()?))
        }
        _ => return None,
    };
    Some(((delivery, attempt), mark))
}

/// The zeros at the end are not summed, since most of a slot is zeros: one more or one less
/// makes another sum all the same, for the rest has another length then.
fn checksum(bytes: &[u8], epoch: u64, slot: u32) -> [u8; 16] {
    let end = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    // In one piece, which costs half of what three cost.
    let mut summed = [0; 12 + SLOT];
    summed[..8].copy_from_slice(&epoch.to_le_bytes());
    summed[8..12].copy_from_slice(&slot.to_le_bytes());
    summed[12..12 + end].copy_from_slice(&bytes[..end]);
    let sum = digest::digest(&digest::SHA256, &summed[..12 + end]);
    sum.as_ref()[..16].try_into().expect("SHA-256 gives 32 bytes")
}

/// Makes the file one that was written before the machine was restarted.
#[cfg(test)]
pub(super) fn age_by_a_restart(state: &Path, epoch: u64) {
    let file = OpenOptions::new().write(true).open(mark_path(state)).unwrap();
    file.write_all_at(&header(epoch, "00000000-0000-0000-0000-000000000000"), 0).unwrap();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marks_of_three() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let state = folder.path().join("state.db");
        let marks = Marks::create(&state, 7).unwrap();
        let reply = Reply::new(250, "2.0.0 taken for ada@example.org");
        let begun = [(0, 10, 1), (1, 11, 2), (2, 12, 1)].map(|(slot, id, nth)| (MarkSlot(slot), DeliveryId(id), nth));
        marks.write_begun(&begun).unwrap();
        marks.write(MarkSlot(1), DeliveryId(11), 2, &Mark::Dot).unwrap();
        marks.write(MarkSlot(2), DeliveryId(12), 1, &Mark::Replied(reply)).unwrap();
        (folder, state)
    }

    #[test]
    fn what_is_marked_is_read_back_with_addresses_masked() {
        let (_folder, state) = marks_of_three();
        let marked = read(&state, 7).unwrap();
        assert_eq!(marked[&(DeliveryId(10), 1)], Mark::Begun);
        assert_eq!(marked[&(DeliveryId(11), 2)], Mark::Dot);
        assert_eq!(marked[&(DeliveryId(12), 1)], Mark::Replied(Reply::new(250, "2.0.0 taken for ***@***")));
        assert_eq!(marked.len(), 3);
    }

    #[test]
    fn marks_of_another_epoch_or_no_marks_at_all_are_not_believed() {
        let (_folder, state) = marks_of_three();
        assert_eq!(read(&state, 8).unwrap_err(), "the mark file is another sender's");
        fs::remove_file(mark_path(&state)).unwrap();
        assert_eq!(read(&state, 7).unwrap_err(), "the mark file is missing");
    }

    #[test]
    fn any_flipped_bit_in_what_is_written_makes_the_file_unbelievable() {
        let (_folder, state) = marks_of_three();
        let good = fs::read(mark_path(&state)).unwrap();
        let written = (0..80).chain(HEADER..HEADER + 3 * SLOT);
        for offset in written {
            let mut bad = good.clone();
            bad[offset] ^= 1 << (offset % 8);
            fs::write(mark_path(&state), &bad).unwrap();
            assert!(read(&state, 7).is_err(), "a flip at byte {offset} was believed");
        }
    }

    #[test]
    fn a_truncated_file_loses_whole_slots_or_is_not_believed() {
        let (_folder, state) = marks_of_three();
        let good = fs::read(mark_path(&state)).unwrap();
        for length in [0, 79, 80, HEADER, HEADER + 1, HEADER + SLOT, HEADER + 3 * SLOT - 1] {
            fs::write(mark_path(&state), &good[..length]).unwrap();
            if let Ok(marked) = read(&state, 7) {
                let whole = length.saturating_sub(HEADER) / SLOT;
                assert_eq!(marked.len(), whole, "cut at {length}");
            }
        }
    }
}
