//! Formulas as LaTeX fences them: `\(…\)` in the line, `\[…\]` on lines of their own.
//!
//! Markdown reads these as escaped brackets, and many authors and converters mean just that:
//! `\[sic\]`, `\[let_chains\]`. A formula names a command, or is made of single letters and signs.

use std::ops::Range;

/// Nobody writes a longer formula in one piece.
const MAX_LENGTH: usize = 10_000;

/// The longest name that stands in a formula without a backslash: `max`.
const MAX_NAME: usize = 3;

/// A formula of the text.
pub(super) struct Formula {
    /// The TeX, without its brackets.
    pub(super) tex: Range<usize>,
    /// What Markdown fences it with.
    pub(super) mark: &'static str,
    /// Where the text goes on.
    pub(super) end: usize,
}

/// The formula that begins at a place, before `limit`.
pub(super) fn find(text: &str, at: usize, limit: usize) -> Option<Formula> {
    let rest = &text[at..limit];
    let (close, mark) = if rest.starts_with("\\(") {
        ("\\)", "$")
    } else if rest.starts_with("\\[") {
        ("\\]", "$$")
    } else {
        return None;
    };
    // A backslash that another one escapes opens nothing.
    if text[..at].bytes().rev().take_while(|byte| *byte == b'\\').count() % 2 == 1 {
        return None;
    }
    // `bug\(s\)` is two bugs.
    if text[..at].ends_with(char::is_alphanumeric) {
        return None;
    }
    let mut bound = rest.len().min(MAX_LENGTH);
    while !rest.is_char_boundary(bound) {
        bound -= 1;
    }
    let inner = up_to(&rest[2..bound], close)?;
    let end = at + 2 + inner.len() + close.len();
    let stands_alone = mark == "$" || (is_line_start(&text[..at]) && is_line_end(&text[end..limit]));
    let tex = inner.trim();
    (fits(tex) && (has_command(tex) || (stands_alone && is_made_of_signs(tex)))).then(|| {
        let start = at + 2 + inner.len() - inner.trim_start().len();
        Formula { tex: start..start + tex.len(), mark, end }
    })
}

/// What precedes the closing bracket, unless another one opens before: formulas do not nest.
fn up_to<'t>(text: &'t str, close: &str) -> Option<&'t str> {
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        if escaped && matches!(c, '(' | '[') {
            return None;
        }
        if !escaped && text[at..].starts_with(close) {
            return Some(&text[..at]);
        }
        escaped = c == '\\' && !escaped;
    }
    None
}

/// A dollar would end what we write, and a blank line ends the paragraph.
fn fits(tex: &str) -> bool {
    !tex.contains('$') && !tex.lines().any(|line| line.trim().is_empty())
}

/// `\frac`, with at least two letters.
fn has_command(tex: &str) -> bool {
    let mut commands = tex.split('\\').skip(1);
    commands.any(|rest| rest.chars().take(2).filter(char::is_ascii_alphabetic).count() == 2)
}

/// Short names with signs between them: `x`, `x_i = 2n`, `f(x)`.
fn is_made_of_signs(tex: &str) -> bool {
    let mut names = tex.split(|c: char| !c.is_alphabetic()).filter(|name| !name.is_empty()).peekable();
    let has_sign = tex.contains(['^', '=', '<', '>', '+', '_', '|', '/', '*']);
    let longest = if has_sign { MAX_NAME } else { 1 };
    names.peek().is_some() && names.all(|name| name.chars().count() <= longest) && !tex.contains(['"', '`', ':', ';'])
}

fn is_line_start(before: &str) -> bool {
    before.chars().rev().take_while(|c| *c != '\n').all(|c| c.is_whitespace() || c == '>')
}

fn is_line_end(after: &str) -> bool {
    after.chars().take_while(|c| *c != '\n').all(|c| c.is_whitespace() || ".,;".contains(c))
}

#[cfg(test)]
mod tests {
    use super::find;

    #[test]
    fn formulas_are_told_from_escaped_brackets() {
        for (text, tex) in [
            ("\\(x\\)", Some("x")),
            ("\\( a+b \\) c", Some("a+b")),
            ("\\[\n\\frac{1}{2}\n\\]", Some("\\frac{1}{2}")),
            ("\\(f(x)\\) is", Some("f(x)")),
            ("\\[x^2\\]", Some("x^2")),
            ("\\[let_chains\\] Forbid", None),
            ("\\(const_ptr_offset_from\\)", None),
            ("\\[cfg(version = \"..\" / nightly)\\]", None),
            ("\\[W\\]e", None),
            ("\\[sic\\]", None),
            ("\\[\\\\\\]", None),
            ("\\(and\\(b=c\\)", None),
            ("\\(optional\\)", None),
            ("\\[1\\]", None),
            ("\\(\\)", None),
            ("\\(a=b", None),
            ("\\(a=$b\\)", None),
            ("\\[a=\n\nb\\]", None),
        ] {
            let found = find(text, 0, text.len()).map(|formula| &text[formula.tex]);
            assert_eq!(found, tex, "{text}");
        }
        assert!(find("bug\\(s\\)", 3, 8).is_none());
        assert!(find("\\\\(a=b\\)", 1, 8).is_none(), "its backslash is escaped");
    }
}
