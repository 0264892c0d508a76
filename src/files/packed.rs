//! Values as few bytes, for caches alone: another version of a type reads them as nonsense or not
//! at all, so whoever keeps them says which program wrote them.

use serde::Serialize;
use serde::de::DeserializeOwned;

/// A value as bytes; `None` for one that has no such form, such as a path that is no text.
pub fn packed(value: &impl Serialize) -> Option<Vec<u8>> {
    postcard::to_stdvec(value).ok()
}

/// The value that was packed into bytes; `None` when they are of something else.
pub fn unpacked<T: DeserializeOwned>(bytes: &[u8]) -> Option<T> {
    postcard::from_bytes(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_packed_comes_back_and_half_of_it_does_not() {
        let value = (vec!["größe".to_owned(), String::new()], Some(-7_i64));
        let bytes = packed(&value).unwrap();
        assert_eq!(unpacked(&bytes), Some(value));
        assert_eq!(unpacked::<(Vec<String>, Option<i64>)>(&bytes[..bytes.len() - 1]), None);
    }
}
