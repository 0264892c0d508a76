//! What a file's name says about its post: a date, a place in a series, a slug.

use std::collections::HashMap;

use chrono::NaiveDate;

use crate::domain::post::Slug;

/// A file's name, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FileName<'a> {
    /// The day in the name (`2025-01-15-name`) or in its folders (`2025/01/15/name`).
    pub(super) date: Option<NaiveDate>,
    /// The name without date and ordering prefix.
    pub(super) words: &'a str,
}

/// Takes a name apart. `folders` is the path of the folders it lies in, with `/`.
pub(super) fn file_name<'a>(folders: &str, stem: &'a str) -> FileName<'a> {
    if let Some((date, words)) = dated(stem) {
        return FileName { date: Some(date), words };
    }
    FileName { date: date_in_folders(folders), words: without_ordinal(stem) }
}

/// `2025-01-15-name`, `2025_01_15 name`, `20250115-name`, or a bare date.
fn dated(stem: &str) -> Option<(NaiveDate, &str)> {
    let long = stem.get(..10).filter(|date| {
        let bytes = date.as_bytes();
        matches!(bytes[4], b'-' | b'_' | b'.') && bytes[4] == bytes[7]
    });
    let (digits, rest) = match long {
        Some(date) => (date.replace(['-', '_', '.'], ""), &stem[10..]),
        None => (stem.get(..8)?.to_owned(), &stem[8..]),
    };
    if digits.len() != 8 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let date = NaiveDate::parse_from_str(&digits, "%Y%m%d").ok()?;
    if rest.is_empty() {
        return Some((date, stem));
    }
    let words = rest.strip_prefix(['-', '_', ' ', '.'])?.trim_start_matches(['-', '_', ' ']);
    Some((date, if words.is_empty() { stem } else { words }))
}

/// `…/2025/01/15`, the last three folders.
fn date_in_folders(folders: &str) -> Option<NaiveDate> {
    let mut parts = folders.rsplit('/').filter(|part| !part.is_empty());
    let (day, month, year) = (parts.next()?, parts.next()?, parts.next()?);
    let number = |part: &str, length| (part.len() == length).then(|| part.parse::<u32>().ok()).flatten();
    NaiveDate::from_ymd_opt(i32::try_from(number(year, 4)?).ok()?, number(month, 2)?, number(day, 2)?)
}

/// `3-what-to-label` → `what-to-label`. A year, or a number before another number
/// (`80-20-rule`), belongs to the name.
fn without_ordinal(stem: &str) -> &str {
    let digits = stem.bytes().take_while(u8::is_ascii_digit).count();
    if digits == 0 || digits > 3 {
        return stem;
    }
    let rest = &stem[digits..];
    let words = rest.trim_start_matches(['-', '_', ' ', '.', ')']);
    if words.len() < rest.len() && words.starts_with(char::is_alphabetic) { words } else { stem }
}

/// A title without its place in the series: `1. Stop` and `12) Stop` → `Stop`.
pub(super) fn title_without_ordinal(title: &str) -> &str {
    let digits = title.bytes().take_while(u8::is_ascii_digit).count();
    if digits == 0 || digits > 4 {
        return title;
    }
    let rest = title[digits..].strip_prefix(['.', ')']).unwrap_or_default();
    let words = rest.trim_start();
    if words.len() < rest.len() && !words.is_empty() { words } else { title }
}

/// A title made of a file's name: `what-to-label` → `What to label`.
pub(super) fn title_of(words: &str) -> String {
    let spaced = words.replace(['-', '_'], " ");
    let spaced = spaced.trim();
    let mut chars = spaced.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

/// A file whose slug its name decides.
pub(super) struct Unnamed<'a> {
    /// Its folders inside the content folder, with `/`; empty at the top.
    pub(super) folders: &'a str,
    /// Its stem.
    pub(super) stem: &'a str,
}

/// The slugs of files that name none, in the order given.
///
/// A name loses its date and its ordering prefix, unless two files would then be called the
/// same: then all of that family keep their whole names (every issue of a weekly is
/// `DATE-this-week`), and if that is not enough their folders too. A file without a letter or
/// digit in its name is called `post`.
pub(super) fn slugs(files: &[Unnamed<'_>]) -> Vec<Slug> {
    let mut slugs: Vec<Slug> =
        files.iter().map(|file| slug_or_post(file_name(file.folders, file.stem).words)).collect();
    widen_families(&mut slugs, files, |file| file.stem.to_owned());
    widen_families(&mut slugs, files, |file| format!("{}/{}", file.folders, file.stem));
    slugs
}

fn widen_families(slugs: &mut [Slug], files: &[Unnamed<'_>], name: impl Fn(&Unnamed<'_>) -> String) {
    let mut count: HashMap<Slug, usize> = HashMap::new();
    for slug in slugs.iter() {
        *count.entry(slug.clone()).or_default() += 1;
    }
    for (slug, file) in slugs.iter_mut().zip(files) {
        if count[slug] > 1 {
            *slug = slug_or_post(&name(file));
        }
    }
}

fn slug_or_post(text: &str) -> Slug {
    Slug::from_text(text).unwrap_or_else(|| Slug::from_text("post").expect("letters make a slug"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_gives_up_its_date_and_its_ordinal() {
        let words = |stem: &'static str| file_name("", stem).words;
        assert_eq!(words("3-what-to-label-next"), "what-to-label-next");
        assert_eq!(words("03_what"), "what");
        assert_eq!(words("2025-01-15-name"), "name");
        assert_eq!(words("20250115 name"), "name");
        for whole in ["80-20-rule", "2024-review", "3", "2025-01-15", "2025-13-45-x", "1984", "7zip", "日本"] {
            assert_eq!(words(whole), whole);
        }
        assert_eq!(file_name("", "2025-01-15-name").date, NaiveDate::from_ymd_opt(2025, 1, 15));
        assert_eq!(file_name("blog/2025/01/15", "name").date, NaiveDate::from_ymd_opt(2025, 1, 15));
        assert_eq!(file_name("2025/01", "name").date, None);
    }

    #[test]
    fn a_title_gives_up_its_ordinal() {
        assert_eq!(title_without_ordinal("1. Stop Using 80/20"), "Stop Using 80/20");
        assert_eq!(title_without_ordinal("12) Stop"), "Stop");
        for whole in ["1.5 million", "1.", "2025 in review", "100% sure", ""] {
            assert_eq!(title_without_ordinal(whole), whole);
        }
        assert_eq!(title_of("what-to_label"), "What to label");
    }

    #[test]
    fn names_that_would_collide_keep_what_tells_them_apart() {
        let files = [
            ("", "2024-01-01-weekly"),
            ("", "2024-01-08-weekly"),
            ("", "2024-02-01-other"),
            ("a", "x"),
            ("b", "x"),
            ("", "!!"),
        ];
        let files: Vec<Unnamed<'_>> = files.iter().map(|(folders, stem)| Unnamed { folders, stem }).collect();
        let slugs: Vec<String> = slugs(&files).iter().map(|slug| slug.as_str().to_owned()).collect();
        assert_eq!(slugs, ["2024-01-01-weekly", "2024-01-08-weekly", "other", "a/x", "b/x", "post"]);
    }
}
