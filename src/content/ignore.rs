//! Which paths the author keeps out: globs and path prefixes.

/// Whether one of the patterns covers a path (both with `/`, relative to the content folder).
///
/// A pattern without `*` or `?` is a path prefix of whole segments (`old` covers `old/a.md`,
/// not `older.md`). In a glob `*` and `?` stay inside a segment and `**` spans segments; a glob
/// without `/` is matched against the file name in every folder, as in `.gitignore`.
pub(super) fn is_ignored(path: &str, patterns: &[String]) -> bool {
    patterns.iter().any(|pattern| covers(pattern.trim().trim_start_matches("./").trim_matches('/'), path))
}

fn covers(pattern: &str, path: &str) -> bool {
    if pattern.is_empty() {
        return false;
    }
    if !pattern.contains(['*', '?']) {
        return path.strip_prefix(pattern).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    }
    let segments: Vec<&str> = path.split('/').collect();
    if !pattern.contains('/') {
        return segments.iter().any(|segment| segment_matches(pattern.as_bytes(), segment.as_bytes()));
    }
    let parts: Vec<&str> = pattern.split('/').collect();
    path_matches(&parts, &segments)
}

/// Matches segment by segment; a row of a table instead of recursion, so that a pattern of many
/// `**` costs no more than pattern times path.
fn path_matches(parts: &[&str], segments: &[&str]) -> bool {
    let mut reached = vec![false; segments.len() + 1];
    reached[0] = true;
    for part in parts {
        let mut next = vec![false; segments.len() + 1];
        if *part == "**" {
            let mut any = false;
            for (here, there) in reached.iter().zip(&mut next) {
                any |= *here;
                *there = any;
            }
        } else {
            for (index, segment) in segments.iter().enumerate() {
                next[index + 1] = reached[index] && segment_matches(part.as_bytes(), segment.as_bytes());
            }
        }
        reached = next;
    }
    // A pattern that names a folder covers what is in it.
    reached.iter().skip(1).any(|&reached| reached) && (reached[segments.len()] || parts.last() != Some(&"**"))
}

fn segment_matches(pattern: &[u8], text: &[u8]) -> bool {
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        if p < pattern.len() && pattern[p] == b'*' {
            star = Some((p, t));
            p += 1;
        } else if p < pattern.len() && (pattern[p] == b'?' || pattern[p] == text[t]) {
            p += 1;
            t += 1;
        } else if let Some((star_p, star_t)) = star {
            p = star_p + 1;
            t = star_t + 1;
            star = Some((star_p, star_t + 1));
        } else {
            return false;
        }
    }
    pattern[p..].iter().all(|&byte| byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::is_ignored;

    #[test]
    fn a_pattern_is_a_prefix_or_a_glob() {
        let covers = |pattern: &str, path: &str| is_ignored(path, &[pattern.to_owned()]);
        assert!(covers("old", "old/a.md") && covers("old/", "old/a.md") && covers("./old/a.md", "old/a.md"));
        assert!(!covers("old", "older.md") && !covers("", "a.md") && !covers("a", "b/a/c.md"));
        assert!(covers("*.bak.md", "x/y/a.bak.md") && !covers("*.bak.md", "x/a.md"));
        assert!(covers("drafts/**", "drafts/x/a.md") && covers("**/wip-*.md", "a/b/wip-1.md"));
        assert!(covers("**/wip-*.md", "wip-1.md") && !covers("a/*.md", "a/b/c.md") && covers("a/*/c.md", "a/b/c.md"));
        assert!(covers("a/*", "a/b/c.md"), "a folder that is covered covers what is in it");
        assert!(covers("**/**/**/**/*a*a*a*a*b", &"a/".repeat(200)) == covers("*a*a*a*a*b", &"a".repeat(200)));
    }
}
