//! Jekyll's few variables that stand in links of posts: `{{ site.baseurl }}/x`,
//! `{{ "/x" | relative_url }}`. All other braces are prose.

/// The path that an expression stands for, and the length of its tag.
pub(super) fn path(text: &str) -> Option<(&str, usize)> {
    let inner = text.strip_prefix("{{")?;
    let end = inner[..bound(inner)].find("}}")?;
    let length = end + 4;
    let expression = inner[..end].trim_matches('-').trim();
    if matches!(expression, "site.baseurl" | "site.url" | "site.base_url" | "base_url") {
        // What follows is a path; alone it is prose about Jekyll.
        return text[length..].starts_with(['/', '{']).then_some(("", length));
    }
    let (literal, filter) = expression.split_once('|')?;
    let literal = literal.trim();
    let quoted = literal.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    let path = quoted.or_else(|| literal.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\'')))?;
    let is_url = ["relative_url", "absolute_url", "prepend:", "url"].iter().any(|name| filter.trim().starts_with(name));
    is_url.then_some((path, length))
}

fn bound(text: &str) -> usize {
    let mut bound = text.len().min(500);
    while !text.is_char_boundary(bound) {
        bound -= 1;
    }
    bound
}

#[cfg(test)]
mod tests {
    use super::path;

    #[test]
    fn only_expressions_of_a_link_stand_for_a_path() {
        for (text, expected) in [
            ("{{ site.baseurl }}/a", ""),
            ("{{site.url}}{{site.baseurl}}/a", ""),
            ("{{ \"/a b\" | relative_url }}", "/a b"),
            ("{{ '/a' | prepend: site.baseurl }}", "/a"),
        ] {
            assert_eq!(path(text), Some((expected, text.find("}}").unwrap() + 2)), "{text}");
        }
        for prose in ["{{ x }}", "{{ site.baseurl }} is", "{{ \"a\" | upcase }}", "{{ a | relative_url }}", "{{"] {
            assert_eq!(path(prose), None, "{prose}");
        }
    }
}
