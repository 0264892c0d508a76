//! What stands behind the backticks of a code block.

/// The language, in lower case: the first word, up to a comma, brace or colon.
pub(super) fn language(info: &str) -> Option<String> {
    let info = info.trim().trim_start_matches(['{', '.']);
    let end = info
        .find(|c: char| !(c.is_alphanumeric() || matches!(c, '+' | '#' | '-' | '_' | '.' | '/')))
        .unwrap_or(info.len());
    // `{title="x"}` names no language.
    let names_key = info[end..].starts_with('=');
    (end > 0 && !names_key).then(|| info[..end].to_lowercase())
}

/// The title: `title="a.py"`, or under the names other generators use.
pub(super) fn title(info: &str) -> Option<String> {
    ["title", "filename", "file", "name"].iter().find_map(|key| value(info, key)).filter(|title| !title.is_empty())
}

fn value(info: &str, key: &str) -> Option<String> {
    let mut rest = info;
    loop {
        let at = rest.find(key)?;
        let before = rest[..at].chars().next_back();
        let after = &rest[at + key.len()..];
        let stands_alone = before.is_none_or(|c| c.is_whitespace() || matches!(c, '{' | ','));
        if let Some(value) = after.strip_prefix('=').filter(|_| stands_alone) {
            let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''));
            return Some(match quote {
                Some(quote) => value[1..].split(quote).next().unwrap_or_default().to_owned(),
                None => value
                    .split(|c: char| c.is_whitespace() || matches!(c, '}' | ','))
                    .next()
                    .unwrap_or_default()
                    .to_owned(),
            });
        }
        rest = after;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn language_and_title_are_found_in_every_dialect() {
        for (info, expected_language, expected_title) in [
            ("Rust", Some("rust"), None),
            ("python {hl_lines=[1] title=\"a.py\"}", Some("python"), Some("a.py")),
            ("rust,ignore", Some("rust"), None),
            ("js filename='x y.js'", Some("js"), Some("x y.js")),
            ("{.c++ title=a.cc}", Some("c++"), Some("a.cc")),
            ("{title=\"x\"}", None, Some("x")),
            ("", None, None),
            ("subtitle=\"x\"", None, None),
        ] {
            assert_eq!(language(info).as_deref(), expected_language, "{info}");
            assert_eq!(title(info).as_deref(), expected_title, "{info}");
        }
    }
}
