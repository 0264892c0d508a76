//! What something was made from, in one digest.

use std::hash::{Hash, Hasher};

use aws_lc_rs::digest::{Context, SHA256};

use crate::domain::hex::hex;

/// How many bytes are gathered before they are digested: values come in pieces of a few.
const GATHERED: usize = 4096;

/// SHA-256 as a [`Hasher`], so that whatever derives `Hash` can be part of a fingerprint.
///
/// The digest is stable between runs of one program. Another compiler may hash the same value
/// differently; then something is made once more, which is all that can happen.
pub struct Fingerprint {
    context: Context,
    gathered: Vec<u8>,
}

impl Fingerprint {
    /// Begins with a word that keeps fingerprints of different kinds of things apart.
    pub fn of(kind: &str) -> Self {
        let mut fingerprint = Self { context: Context::new(&SHA256), gathered: Vec::with_capacity(GATHERED) };
        kind.hash(&mut fingerprint);
        fingerprint
    }

    /// Adds a value.
    #[must_use]
    pub fn with(mut self, value: &impl Hash) -> Self {
        value.hash(&mut self);
        self
    }

    /// The fingerprint in hex.
    pub fn hex(mut self) -> String {
        self.context.update(&self.gathered);
        hex(self.context.finish().as_ref())
    }
}

impl Hasher for Fingerprint {
    fn write(&mut self, bytes: &[u8]) {
        if self.gathered.len() + bytes.len() > GATHERED {
            self.context.update(&self.gathered);
            self.gathered.clear();
        }
        if bytes.len() > GATHERED {
            self.context.update(bytes);
        } else {
            self.gathered.extend_from_slice(bytes);
        }
    }

    /// Lengths and the numbers of an enum's variants: small, and as many as there are values.
    fn write_usize(&mut self, number: usize) {
        match u8::try_from(number) {
            Ok(number) if number < u8::MAX => self.write(&[number]),
            Ok(_) | Err(_) => {
                self.write(&[u8::MAX]);
                self.write(&number.to_le_bytes());
            }
        }
    }

    fn write_isize(&mut self, number: isize) {
        self.write_usize(number.cast_unsigned());
    }

    fn finish(&self) -> u64 {
        let mut context = self.context.clone();
        context.update(&self.gathered);
        let digest = context.finish();
        let first: [u8; 8] = digest.as_ref()[..8].try_into().expect("a SHA-256 digest has 32 bytes");
        u64::from_be_bytes(first)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::files;

    #[test]
    fn it_is_the_digest_of_all_bytes_however_they_come() {
        let parts = [vec![1; 3], vec![2; GATHERED - 2], vec![3; GATHERED + 1], vec![4; 5]];
        let mut fingerprint = Fingerprint::of("x");
        for part in &parts {
            fingerprint.write(part);
        }
        let mut kind = Fingerprint { context: Context::new(&SHA256), gathered: Vec::new() };
        "x".hash(&mut kind);
        let all = [kind.gathered, parts.concat()].concat();
        assert_eq!(fingerprint.hex(), files::digest(&all));
    }

    #[test]
    fn numbers_one_after_the_other_are_told_apart() {
        let numbers = [0, 1, 7, 254, 255, 256, 0xFFFF, usize::MAX];
        let pairs = numbers.iter().flat_map(|one| numbers.map(|other| (*one, other)));
        let seen: HashSet<String> = pairs.map(|pair| Fingerprint::of("x").with(&pair).hex()).collect();
        assert_eq!(seen.len(), numbers.len() * numbers.len());
    }
}
