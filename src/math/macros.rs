//! Abbreviations of the author's, from the configuration or from a formula itself.

use std::collections::BTreeMap;

/// An abbreviation: what it stands for, with `#1` to `#9` where its arguments go.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Macro {
    /// How many arguments it takes, 0 to 9.
    pub arguments: usize,
    /// What it stands for.
    pub body: String,
}

/// The abbreviations that all formulas of a publication may use.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Macros {
    by_name: BTreeMap<String, Macro>,
}

/// Why a macro cannot be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MacroError {
    /// It is no name that TeX would read as one.
    #[error("`{0}` is no name of a macro")]
    Name(String),
    /// Its braces do not match.
    #[error("the braces of `{0}` do not match")]
    Braces(String),
    /// A `#` is followed by something else than 1 to 9.
    #[error("`#` in `{0}` is not followed by a digit from 1 to 9")]
    Parameter(String),
}

impl Macros {
    /// Adds `\name`, given with or without its backslash; it takes as many arguments as the
    /// highest `#n` in `body`. A second definition replaces the first, and either one replaces a
    /// command of TeX.
    pub fn define(&mut self, name: &str, body: &str) -> Result<(), MacroError> {
        let bare = name.strip_prefix('\\').unwrap_or(name);
        let is_word = !bare.is_empty() && bare.bytes().all(|byte| byte.is_ascii_alphabetic());
        if !is_word {
            return Err(MacroError::Name(name.to_owned()));
        }
        if !is_balanced(body) {
            return Err(MacroError::Braces(body.to_owned()));
        }
        let arguments = highest_parameter(body).ok_or_else(|| MacroError::Parameter(body.to_owned()))?;
        self.insert(bare.to_owned(), Macro { arguments, body: body.to_owned() });
        Ok(())
    }

    pub(super) fn insert(&mut self, name: String, definition: Macro) {
        self.by_name.insert(name, definition);
    }

    pub(super) fn get(&self, name: &str) -> Option<&Macro> {
        self.by_name.get(name)
    }
}

/// Whether every brace that is not escaped has its partner.
pub(super) fn is_balanced(text: &str) -> bool {
    let mut depth = 0_usize;
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'\\' => drop(bytes.next()),
            b'{' => depth += 1,
            b'}' if depth == 0 => return false,
            b'}' => depth -= 1,
            _ => {}
        }
    }
    depth == 0
}

/// The highest `#n`; `None` when a `#` is something else.
pub(super) fn highest_parameter(body: &str) -> Option<usize> {
    let mut highest = 0;
    let mut bytes = body.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'\\' => drop(bytes.next()),
            b'#' => highest = highest.max(usize::from(bytes.next().filter(|n| (b'1'..=b'9').contains(n))? - b'0')),
            _ => {}
        }
    }
    Some(highest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_macro_takes_as_many_arguments_as_its_highest_parameter() {
        let mut macros = Macros::default();
        macros.define("R", "\\mathbb{R}").unwrap();
        macros.define("\\norm", "\\lVert #1 \\rVert_{#2}").unwrap();
        assert_eq!(macros.get("R").unwrap().arguments, 0);
        assert_eq!(macros.get("norm").unwrap().arguments, 2);
    }

    #[test]
    fn what_tex_could_not_read_is_refused() {
        let mut macros = Macros::default();
        assert_eq!(macros.define("a1", "x"), Err(MacroError::Name("a1".into())));
        assert_eq!(macros.define("\\", "x"), Err(MacroError::Name("\\".into())));
        assert_eq!(macros.define("a", "{x"), Err(MacroError::Braces("{x".into())));
        assert_eq!(macros.define("a", "x}{"), Err(MacroError::Braces("x}{".into())));
        assert_eq!(macros.define("a", "#x"), Err(MacroError::Parameter("#x".into())));
        assert_eq!(macros.define("a", "\\{ \\# #1"), Ok(()));
    }
}
