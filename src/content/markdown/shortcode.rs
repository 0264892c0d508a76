//! The syntax of other generators' shortcodes, apart from what they mean.
//!
//! Post text is data, so the net is narrow: Hugo's `{{< name … >}}` and `{{% name … %}}`, Zola's
//! `{{ name(key=value) }}` and `{% name(key=value) %}`, and Jekyll's `{% name … %}`. `{{ x }}`,
//! `{% if %}` and the like are prose.

/// Nobody writes a longer tag; without a bound, hostile text costs the square of its length.
const MAX_TAG: usize = 4096;

/// Words of the template languages that look like Liquid's: in a post they are prose about
/// templates, and nobody's shortcode.
const TEMPLATE_WORDS: [&str; 30] = [
    "assign",
    "autoescape",
    "block",
    "break",
    "call",
    "capture",
    "case",
    "cycle",
    "decrement",
    "do",
    "echo",
    "elif",
    "else",
    "elsif",
    "extends",
    "filter",
    "for",
    "from",
    "if",
    "import",
    "increment",
    "layout",
    "load",
    "macro",
    "render",
    "set",
    "tablerow",
    "unless",
    "when",
    "with",
];

/// Whose syntax a tag is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    Hugo,
    Zola,
    Liquid,
}

/// One tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Tag<'a> {
    pub(super) dialect: Dialect,
    pub(super) name: &'a str,
    pub(super) args: Vec<(Option<&'a str>, String)>,
    /// Whether it opens, closes, or is a Hugo comment or an escaped tag.
    pub(super) role: Role<'a>,
    /// Its length in bytes.
    pub(super) length: usize,
}

/// What a tag does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role<'a> {
    /// It stands for something, or opens something that another tag closes.
    Open,
    /// It closes.
    Close,
    /// It shows the tag inside it, unexpanded: `{{</* name */>}}`.
    Escaped { open: &'a str, inner: &'a str, close: &'a str },
}

impl Tag<'_> {
    /// A named argument, or the one at that position among the unnamed.
    pub(super) fn arg(&self, names: &[&str], position: Option<usize>) -> Option<&str> {
        let by_name =
            self.args.iter().find(|(key, _)| key.is_some_and(|key| names.contains(&key.to_lowercase().as_str())));
        let placed = || self.args.iter().filter(|(key, _)| key.is_none()).nth(position?);
        by_name.or_else(placed).map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }
}

/// The tag a text begins with.
pub(super) fn tag(text: &str) -> Option<Tag<'_>> {
    if let Some(tag) = delimited(text, "{{<", ">}}").and_then(|cut| hugo(&cut)) {
        return Some(tag);
    }
    if let Some(tag) = delimited(text, "{{%", "%}}").and_then(|cut| hugo(&cut)) {
        return Some(tag);
    }
    if let Some(cut) = delimited(text, "{{", "}}") {
        return call(&cut);
    }
    let cut = delimited(text, "{%", "%}")?;
    call(&cut).or_else(|| liquid(&cut))
}

struct Cut<'a> {
    open: &'a str,
    inner: &'a str,
    close: &'a str,
    length: usize,
}

fn delimited<'a>(text: &'a str, open: &'a str, close: &'a str) -> Option<Cut<'a>> {
    let rest = text.strip_prefix(open)?;
    let mut bound = rest.len().min(MAX_TAG);
    while !rest.is_char_boundary(bound) {
        bound -= 1;
    }
    let end = rest[..bound].find(close)?;
    Some(Cut { open, inner: &rest[..end], close, length: open.len() + end + close.len() })
}

fn hugo<'a>(cut: &Cut<'a>) -> Option<Tag<'a>> {
    let &Cut { open, inner, close, length } = cut;
    if let Some(escaped) = inner.strip_prefix("/*").and_then(|inner| inner.strip_suffix("*/")) {
        let role = Role::Escaped { open, inner: escaped, close };
        return Some(Tag { dialect: Dialect::Hugo, name: "", args: Vec::new(), role, length });
    }
    let inner = inner.trim().trim_end_matches('/').trim_end();
    let (role, inner) = inner.strip_prefix('/').map_or((Role::Open, inner), |rest| (Role::Close, rest.trim_start()));
    let (name, rest) = name(inner)?;
    Some(Tag { dialect: Dialect::Hugo, name, args: args(rest), role, length })
}

/// `name(key="value", …)`; positional arguments are a function call in prose, not Zola.
fn call<'a>(cut: &Cut<'a>) -> Option<Tag<'a>> {
    let inner = cut.inner.trim_matches('-').trim();
    if cut.open == "{%" && inner == "end" {
        return Some(Tag {
            dialect: Dialect::Zola,
            name: "end",
            args: Vec::new(),
            role: Role::Close,
            length: cut.length,
        });
    }
    let (name, rest) = name(inner)?;
    let inside = rest.strip_prefix('(')?.strip_suffix(')')?;
    let args = args(inside);
    let is_zola = args.iter().all(|(key, _)| key.is_some());
    is_zola.then_some(Tag { dialect: Dialect::Zola, name, args, role: Role::Open, length: cut.length })
}

fn liquid<'a>(cut: &Cut<'a>) -> Option<Tag<'a>> {
    let (name, rest) = name(cut.inner.trim_matches('-').trim())?;
    let (role, name) = name.strip_prefix("end").map_or((Role::Open, name), |opened| (Role::Close, opened));
    let is_prose = name.is_empty() || !name.is_ascii() || TEMPLATE_WORDS.contains(&name);
    if is_prose || !(rest.is_empty() || rest.starts_with(char::is_whitespace)) {
        return None;
    }
    Some(Tag { dialect: Dialect::Liquid, name, args: args(rest), role, length: cut.length })
}

fn name(text: &str) -> Option<(&str, &str)> {
    let end = text.find(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '-' | '/' | '.'))).unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    name.starts_with(char::is_alphabetic).then_some((name, rest))
}

/// `key="a b" key=c 'd' e`, separated by spaces or commas.
fn args(text: &str) -> Vec<(Option<&str>, String)> {
    let mut out = Vec::new();
    let mut rest = text.trim_start_matches(separates);
    while !rest.is_empty() {
        let key_end = rest.find(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '-'))).unwrap_or(rest.len());
        let after = rest[key_end..].trim_start();
        let (key, value) = match after.strip_prefix('=').filter(|_| key_end > 0) {
            Some(value) => (Some(&rest[..key_end]), value.trim_start()),
            None => (None, rest),
        };
        let (value, tail) = argument(value);
        out.push((key, value.to_owned()));
        rest = tail.trim_start_matches(separates);
    }
    out
}

fn argument(text: &str) -> (&str, &str) {
    if let Some(quote @ ('"' | '\'' | '`' | '“')) = text.chars().next() {
        let inner = &text[quote.len_utf8()..];
        let close = if quote == '“' { '”' } else { quote };
        return inner.split_once(close).unwrap_or((inner, ""));
    }
    let end = text.find(separates).unwrap_or(text.len());
    // A lone `=` would leave nothing consumed.
    text.split_at(end.max(text.chars().next().map_or(0, char::len_utf8)))
}

fn separates(c: char) -> bool {
    c.is_whitespace() || c == ','
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn shortcodes_are_told_from_prose() {
        let named = |text| tag(text).map(|tag| (tag.dialect, tag.name.to_owned(), tag.args.len()));
        assert_eq!(named("{{< figure src=\"a b.png\" alt='x' >}} y"), Some((Dialect::Hugo, "figure".into(), 2)));
        assert_eq!(named("{{% notice note %}}"), Some((Dialect::Hugo, "notice".into(), 1)));
        assert_eq!(named("{{ youtube(id=\"x\", autoplay=true) }}"), Some((Dialect::Zola, "youtube".into(), 2)));
        assert_eq!(named("{% quote() %}"), Some((Dialect::Zola, "quote".into(), 0)));
        assert_eq!(named("{% highlight rust linenos %}"), Some((Dialect::Liquid, "highlight".into(), 2)));
        for prose in [
            "{{ x }}",
            "{{x}}",
            "{{ f('x') }}",
            "{% if x %}",
            "{% endif %}",
            "{{",
            "{%",
            "{{<>}}",
            "{{ x",
            "{% raw",
            "{{#each}}",
            "{{ a.b | upper }}",
        ] {
            assert_eq!(named(prose), None, "{prose}");
        }
    }

    #[test]
    fn arguments_are_found_by_name_and_by_place() {
        let tag = tag("{{< x \"first one\" second key = 'v' ref=\"a,b\" >}}").unwrap();
        assert_eq!(tag.arg(&[], Some(0)), Some("first one"));
        assert_eq!(tag.arg(&["key"], None), Some("v"));
        assert_eq!(tag.arg(&["ref"], Some(1)), Some("a,b"));
        assert_eq!(tag.arg(&["none"], Some(1)), Some("second"));
    }

    proptest! {
        #[test]
        fn no_text_makes_the_reader_panic_or_hang(text in "\\{[{%][<% ]?[a-z =\"'(),/*%>}“é-]{0,40}") {
            if let Some(tag) = tag(&text) {
                prop_assert!(tag.length <= text.len());
            }
        }
    }
}
