//! What stands behind the backticks of a code block, in the spellings of Hugo, Zola, `MkDocs`,
//! Pandoc, `VitePress`, Docusaurus and MDX.

use std::ops::RangeInclusive;

/// The most stretches of lines that one block may mark.
const MOST_MARKED: usize = 200;

/// The language, in lower case: the first word, up to a comma, brace or colon.
pub(super) fn language(info: &str) -> Option<String> {
    let info = info.trim().trim_start_matches(['{', '.', ' ']);
    let end = info
        .find(|c: char| !(c.is_alphanumeric() || matches!(c, '+' | '#' | '-' | '_' | '.' | '/')))
        .unwrap_or(info.len());
    // `{title="x"}` names no language, and neither does `{1,3}`.
    let names_key = info[end..].starts_with('=');
    let is_number = info[..end].bytes().all(|b| b.is_ascii_digit() || b == b'-');
    (end > 0 && !names_key && !is_number).then(|| info[..end].to_lowercase())
}

/// The title: `title="a.py"`, or under the names other generators use.
pub(super) fn title(info: &str) -> Option<String> {
    let keys = ["title", "filename", "file", "name"];
    keys.iter().find_map(|key| text(value(info, key)?)).filter(|title| !title.is_empty()).map(str::to_owned)
}

/// The lines to draw attention to, from 1, in order and apart from each other:
/// `{hl_lines=[1,"3-5"]}`, `hl_lines=1 3-5`, `{1,3-5}`, `highlight={1,3-5}`.
pub(super) fn marked_lines(info: &str) -> Vec<RangeInclusive<usize>> {
    let keys = ["hl_lines", "highlight", "mark", "emphasize-lines", "data-line"];
    let list = keys.iter().find_map(|key| value(info, key).map(listed)).or_else(|| bare_list(info));
    let mut found: Vec<(usize, usize)> =
        list.unwrap_or_default().split([',', ' ', '"', '\'']).filter_map(stretch).take(MOST_MARKED).collect();
    found.sort_unstable();
    let mut marked: Vec<RangeInclusive<usize>> = Vec::new();
    for (first, last) in found {
        match marked.last_mut() {
            Some(before) if first <= before.end() + 1 => *before = *before.start()..=last.max(*before.end()),
            Some(_) | None => marked.push(first..=last),
        }
    }
    marked
}

/// `3` or `3-5`; lines are counted from 1.
fn stretch(text: &str) -> Option<(usize, usize)> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let (first, last) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
    (1 <= first && first <= last).then_some((first, last))
}

/// What follows `key=`, where `key` stands alone.
fn value<'i>(info: &'i str, key: &str) -> Option<&'i str> {
    info.match_indices(key).find_map(|(at, _)| {
        let stands_alone = info[..at].chars().next_back().is_none_or(|c| c.is_whitespace() || matches!(c, '{' | ','));
        info[at + key.len()..].strip_prefix('=').filter(|_| stands_alone)
    })
}

/// A text in quotes, or up to a space, a comma or a brace.
fn text(value: &str) -> Option<&str> {
    match value.chars().next().filter(|c| matches!(c, '"' | '\'')) {
        Some(quote) => value[1..].split(quote).next(),
        None => value.split(|c: char| c.is_whitespace() || matches!(c, '}' | ',')).next(),
    }
}

/// A list of numbers in brackets, braces or quotes, or as far as it goes.
fn listed(value: &str) -> &str {
    let value = value.trim_start_matches(['[', '{', '"', '\'', ' ']);
    let end = value.find(|c: char| !(c.is_ascii_digit() || matches!(c, '-' | ',' | ' ' | '"' | '\'')));
    &value[..end.unwrap_or(value.len())]
}

/// `{1,3-5}`: braces with nothing but numbers.
fn bare_list(info: &str) -> Option<&str> {
    info.split('{').skip(1).find_map(|rest| {
        let (inner, _) = rest.split_once('}')?;
        let is_list = inner.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'-' | b',' | b' '));
        is_list.then_some(inner)
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn language_and_title_are_found_in_every_dialect() {
        for (info, expected_language, expected_title) in [
            ("Rust", Some("rust"), None),
            ("python {hl_lines=[1] title=\"a.py\"}", Some("python"), Some("a.py")),
            ("rust,ignore", Some("rust"), None),
            ("js filename='x y.js'", Some("js"), Some("x y.js")),
            ("{.c++ title=a.cc}", Some("c++"), Some("a.cc")),
            ("{ .py title=\"b.py\" }", Some("py"), Some("b.py")),
            ("js{1,3}", Some("js"), None),
            ("{title=\"x\"}", None, Some("x")),
            ("{1,3-4}", None, None),
            ("", None, None),
            ("subtitle=\"x\"", None, None),
        ] {
            assert_eq!(language(info).as_deref(), expected_language, "{info}");
            assert_eq!(title(info).as_deref(), expected_title, "{info}");
        }
    }

    #[test]
    fn marked_lines_are_found_in_every_dialect() {
        for info in [
            "rust {hl_lines=[1,\"3-5\"]}",
            "rust {hl_lines=[1, 3-5], linenos=true}",
            "rust {hl_lines=\"1 3-5\"}",
            "rust,hl_lines=1 3-5,linenos",
            "rust {linenos=inline hl_lines=[5,4,1,3] style=emacs}",
            "{ .rust hl_lines=\"1 3-5\" title=\"x 9\" }",
            "rust {1,3-5}",
            "rust{1,3-5} title=\"{2}.rs\"",
            "rust highlight={1,3-5}",
            "rust mark=\"1,3-4,4-5\"",
        ] {
            assert_eq!(marked_lines(info), [1..=1, 3..=5], "{info}");
        }
        for info in ["rust", "rust title=\"hl_lines\"", "rust {0,5-3,x}", "rust {hl_lines=[]}", "rust xhl_lines=3", "{"]
        {
            assert!(marked_lines(info).is_empty(), "{info}");
        }
    }

    proptest! {
        #[test]
        fn no_info_string_is_too_strange(info in "[a-z0-9{}=\\[\\]\"', -]{0,60}") {
            language(&info);
            title(&info);
            let marked = marked_lines(&info);
            prop_assert!(marked.iter().all(|lines| *lines.start() >= 1 && lines.start() <= lines.end()));
            prop_assert!(marked.windows(2).all(|two| two[0].end() + 1 < *two[1].start()));
        }
    }
}
