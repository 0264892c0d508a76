//! Lists of tags, `a=b; c=d`, as the records of DKIM and DMARC are written (RFC 6376, 3.2).

/// Why a text is no list of tags.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TagError {
    /// A piece without a name and `=`.
    #[error("`{0}` is no `name=value`")]
    NoTag(String),
    /// A name that stands twice.
    #[error("`{0}=` stands twice")]
    Twice(String),
}

/// The tags of a list in their order, each name with its value, white space around both taken off.
pub fn tags(text: &str) -> Result<Vec<(&str, &str)>, TagError> {
    let mut found: Vec<(&str, &str)> = Vec::new();
    for piece in text.split(';').map(str::trim).filter(|piece| !piece.is_empty()) {
        let is_name = |name: &str| {
            name.starts_with(|c: char| c.is_ascii_alphabetic())
                && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
        };
        let tag = piece.split_once('=').map(|(name, value)| (name.trim_end(), value.trim_start()));
        let Some((name, value)) = tag.filter(|(name, _)| is_name(name)) else {
            return Err(TagError::NoTag(piece.chars().take(40).collect()));
        };
        if found.iter().any(|(other, _)| *other == name) {
            return Err(TagError::Twice(name.to_owned()));
        }
        found.push((name, value));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_read_in_their_order_and_blanks_are_nothing() {
        assert_eq!(tags(" v = DKIM1 ;p=a=b;; "), Ok(vec![("v", "DKIM1"), ("p", "a=b")]));
        assert_eq!(tags(""), Ok(vec![]));
    }

    #[test]
    fn what_is_no_tag_is_named() {
        assert_eq!(tags("v=DMARC1 p"), Ok(vec![("v", "DMARC1 p")]));
        assert_eq!(tags("p=none, rua"), Ok(vec![("p", "none, rua")]));
        assert_eq!(tags("p"), Err(TagError::NoTag("p".to_owned())));
        assert_eq!(tags("=x"), Err(TagError::NoTag("=x".to_owned())));
        assert_eq!(tags("a=1; a=2"), Err(TagError::Twice("a".to_owned())));
    }
}
