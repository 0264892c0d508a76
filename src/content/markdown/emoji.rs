//! Emoji by name, as GitHub has them: `:rocket:`.

/// The longest name GitHub knows has fewer.
const MAX_NAME: usize = 50;

/// A text with the emoji it names.
pub(super) fn emojify(text: &str) -> Option<String> {
    // A name has a colon on either side.
    text.matches(':').nth(1)?;
    let mut out = String::new();
    let mut done = 0;
    let mut at = 0;
    while let Some(open) = text[at..].find(':').map(|found| at + found) {
        at = open + 1;
        let Some((emoji, end)) = named(text, open) else { continue };
        out.push_str(&text[done..open]);
        out.push_str(emoji);
        (done, at) = (end, end);
    }
    if done == 0 {
        return None;
    }
    out.push_str(&text[done..]);
    Some(out)
}

/// The emoji named from a colon on, and where its name ends. `10:30:45` and `std::io::x` name
/// none: a word or a colon stands before.
fn named(text: &str, open: usize) -> Option<(&'static str, usize)> {
    if text[..open].ends_with(|c: char| c.is_alphanumeric() || c == ':') {
        return None;
    }
    let rest = &text[open + 1..];
    let length = rest.bytes().take(MAX_NAME).position(|byte| byte == b':')?;
    let name = rest.get(..length)?;
    Some((emojis::get_by_shortcode(name)?.as_str(), open + 1 + length + 1))
}

#[cfg(test)]
mod tests {
    use super::emojify;

    #[test]
    fn names_of_emoji_become_emoji_and_nothing_else_does() {
        assert_eq!(emojify("a :rocket: b :+1:").as_deref(), Some("a 🚀 b 👍"));
        assert_eq!(emojify(":heart::tada:").as_deref(), Some("❤️:tada:"));
        for text in ["10:30:45", "std::io::x", ":nobody_knows:", "a: b: c", "::", "x:100:y", ":rocket", ": :"] {
            assert_eq!(emojify(text), None, "{text}");
        }
    }
}
