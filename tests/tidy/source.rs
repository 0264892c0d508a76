//! A source file of the house: which part is code, which part tests, and what it names.

use std::collections::BTreeMap;

/// A source file, its comments and literals blanked out so that only code is left.
pub struct Source {
    /// Relative to `src/`, with `/`.
    pub path: String,
    pub code: String,
    /// For each line, whether it is compiled for tests only.
    for_tests: Vec<bool>,
}

impl Source {
    pub fn new(path: &str, text: &str) -> Self {
        let code = blank_comments_and_literals(text);
        let for_tests = lines_for_tests(&code);
        Self { path: path.to_owned(), code, for_tests }
    }

    /// Makes every line one for tests, because the file is.
    pub fn set_for_tests(&mut self) {
        self.for_tests.fill(true);
    }

    /// What a `#[cfg(test)] mod name;` of this file makes part of the tests only: paths without `.rs`,
    /// each a file or a folder of files.
    pub fn test_modules(&self) -> Vec<String> {
        let own = self.path.trim_end_matches("mod.rs").trim_end_matches(".rs").trim_end_matches('/').to_owned();
        let declared =
            self.code.split("#[cfg(test)]").skip(1).filter_map(|rest| rest.split_once("mod ")?.1.split_once(';'));
        let names = declared.map(|(name, _)| name).filter(|name| name.chars().all(|c| c.is_alphanumeric() || c == '_'));
        names.map(|name| format!("{own}/{name}")).collect()
    }

    /// The module under the crate root that the file belongs to; `None` for `lib.rs` and `main.rs`.
    pub fn module(&self) -> Option<&str> {
        let name = self.path.split('/').next().expect("a path has a first part").trim_end_matches(".rs");
        (!matches!(name, "lib" | "main")).then_some(name)
    }

    /// The lines with their numbers, from 1.
    fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.code.lines().enumerate().map(|(index, line)| (index + 1, line))
    }

    /// The numbered lines that end up in the binary.
    pub fn production_lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.lines().filter(|(number, _)| !self.for_tests[number - 1])
    }

    /// The lines whose `super::super::…` climbs to the crate root, where arrows cannot be seen.
    pub fn climbs(&self) -> Vec<usize> {
        let depth = self.path.trim_end_matches("/mod.rs").split('/').count();
        let root = |number: usize| "super::".repeat(depth + usize::from(self.for_tests[number - 1]));
        self.lines().filter(|(number, line)| line.contains(&root(*number))).map(|(number, _)| number).collect()
    }

    /// The modules of the house this file names, with the line of the first mention.
    pub fn arrows(&self) -> BTreeMap<String, usize> {
        let mut arrows = BTreeMap::new();
        for (start, found) in self.code.match_indices("crate::") {
            if !begins_a_name(&self.code[..start]) {
                continue;
            }
            let line = self.code[..start].matches('\n').count() + 1;
            for name in names_after(&self.code[start + found.len()..]) {
                arrows.entry(name).or_insert(line);
            }
        }
        arrows
    }
}

/// Marks what follows each `#[cfg(test)]`: to the `;` of a declaration, else to the `}` that
/// stands as far left as the attribute, as rustfmt leaves it.
fn lines_for_tests(code: &str) -> Vec<bool> {
    let mut end: Option<String> = None;
    let mut marks = Vec::new();
    for line in code.lines() {
        if end.is_none() && line.trim() == "#[cfg(test)]" {
            end = Some(line.replace("#[cfg(test)]", "}"));
        }
        marks.push(end.is_some());
        let declares = line.ends_with(';') && end.as_deref().is_some_and(|end| indent(end) == indent(line));
        if declares || end.as_deref() == Some(line.trim_end()) {
            end = None;
        }
    }
    marks
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

/// The first names of a path or of a braced list of paths: `a::b` is `a`, `{a::b, c}` is `a`, `c`.
fn names_after(rest: &str) -> Vec<String> {
    let word =
        |text: &str| -> String { text.trim_start().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect() };
    if !rest.trim_start().starts_with('{') {
        return Vec::from([word(rest)]);
    }
    let mut depth = 0;
    let mut names = Vec::new();
    for (at, c) in rest.char_indices() {
        depth += i32::from(c == '{') - i32::from(c == '}');
        match (depth, c) {
            (1, '{' | ',') => names.push(word(&rest[at + 1..])),
            (0, '}') => break,
            _ => {}
        }
    }
    names.retain(|name| !name.is_empty());
    names
}

/// Whether a name can begin after this text.
pub fn begins_a_name(before: &str) -> bool {
    !before.ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '$')
}

/// Replaces comments, strings and characters by spaces; line numbers stay.
fn blank_comments_and_literals(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let taken = literal_length(rest, out.chars().next_back());
        if taken == 0 {
            out.push(c);
            rest = &rest[c.len_utf8()..];
        } else {
            out.extend(rest[..taken].chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
            rest = &rest[taken..];
        }
    }
    out
}

/// How many bytes the comment or literal takes that begins here; 0 when none does.
fn literal_length(rest: &str, before: Option<char>) -> usize {
    let after = |from: usize, end: &str| rest[from..].find(end).map_or(rest.len(), |at| from + at + end.len());
    let begins_word = !before.is_some_and(|c| c.is_alphanumeric() || c == '_');
    if rest.starts_with("//") {
        return rest.find('\n').unwrap_or(rest.len());
    }
    if rest.starts_with("/*") {
        return after(2, "*/");
    }
    let raw = rest.strip_prefix('b').unwrap_or(rest).strip_prefix('r').filter(|_| begins_word);
    let hashes = raw.map_or(0, |raw| raw.bytes().take_while(|b| *b == b'#').count());
    if raw.is_some_and(|raw| raw[hashes..].starts_with('"')) {
        let open = rest.find('"').expect("the quote was just seen") + 1;
        return after(open, &format!("\"{}", "#".repeat(hashes)));
    }
    match rest.as_bytes()[0] {
        b'"' => quoted_length(rest, '"'),
        b'\'' if rest[1..].starts_with('\\') => quoted_length(rest, '\''),
        b'\'' => {
            rest.chars().nth(1).map(char::len_utf8).filter(|n| rest[1 + n..].starts_with('\'')).map_or(0, |n| n + 2)
        }
        _ => 0,
    }
}

fn quoted_length(rest: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        if c == quote && !escaped {
            return at + 1;
        }
        escaped = c == '\\' && !escaped;
    }
    rest.len()
}

mod tests {
    use super::*;

    #[test]
    fn literals_are_no_code_and_lifetimes_are_no_literals() {
        let code =
            blank_comments_and_literals("fn f<'a>(x: &'a str) { y('\"', '\\'', b'x', \"\\\"\"); } /* z */ // w\nv");
        assert_eq!(code.split_whitespace().collect::<Vec<_>>().join(" "), "fn f<'a>(x: &'a str) { y( , , b , ); } v");
    }
}
