//! Bytes as hexadecimal digits.

/// Bytes in lower-case hexadecimal digits, two for each.
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut out = String::with_capacity(bytes.len() * 2);
    for nibble in bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]) {
        out.push(char::from(DIGITS[usize::from(nibble)]));
    }
    out
}

/// The bytes of a text that [`hex`] wrote; `None` for any other.
pub fn unhex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    for (nth, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(2 * nth..2 * nth + 2)?, 16).ok()?;
    }
    (hex(&bytes) == text).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_come_back_as_bytes_and_nothing_else_does() {
        assert_eq!(hex(&[0, 1, 0xAB, 0xFF]), "0001abff");
        assert_eq!(unhex("0001abff"), Some([0, 1, 0xAB, 0xFF]));
        for other in ["0001ABFF", "0001abf", "0001abff0", "+001abff", "größe123", ""] {
            assert_eq!(unhex::<4>(other), None, "{other}");
        }
    }
}
