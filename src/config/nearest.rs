//! What a person who typed something unknown probably meant.

/// The known word nearest to a typed one, if it is near enough to be meant: at most a third of
/// its letters are wrong, missing, extra or swapped, and at least one may be. Case is ignored
/// and `-` is `_`. Among equals the first known word is taken.
pub fn nearest<'k>(typed: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    let typed = normal(typed);
    if typed.len() > 64 {
        return None;
    }
    let allowed = |word: &str| (word.chars().count() / 3).max(1);
    known
        .into_iter()
        .map(|word| (distance(&typed, &normal(word)), word))
        .filter(|(distance, word)| *distance <= allowed(word))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, word)| word)
}

fn normal(word: &str) -> Vec<char> {
    word.chars().flat_map(char::to_lowercase).map(|c| if c == '-' { '_' } else { c }).collect()
}

/// How many letters must be changed, added, left out or swapped with their neighbour.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut before_last = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 0..a.len() {
        let mut row = vec![i + 1];
        for j in 0..b.len() {
            let change = last[j] + usize::from(a[i] != b[j]);
            let mut best = change.min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && a[i] == b[j - 1] && a[i - 1] == b[j] {
                best = best.min(before_last[j - 1] + 1);
            }
            row.push(best);
        }
        before_last = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_understood_and_a_stranger_is_not() {
        let known = ["title", "base_url", "language", "to"];
        for (typed, meant) in [
            ("titel", Some("title")),
            ("Title", Some("title")),
            ("base-url", Some("base_url")),
            ("baseurl", Some("base_url")),
            ("langauge", Some("language")),
            ("colour", None),
            ("", None),
        ] {
            assert_eq!(nearest(typed, known), meant, "{typed}");
        }
        assert_eq!(nearest(&"x".repeat(10_000), known), None);
    }
}
