//! What the author typed, with macros spelt out and without what only TeX's own documents need.

use std::ops::Range;

use super::Error;
use super::macros::{Macro, Macros, highest_parameter, is_balanced};

/// No formula is longer, in bytes, as typed or spelt out.
const LONGEST: usize = 10_000;

/// How many bytes may be read again on behalf of macros: a bomb of macros ends here.
const MOST_WORK: usize = 100_000;

/// How many macros may stand in each other.
const DEEPEST: usize = 40;

/// A formula as the engines see it.
#[derive(Debug)]
pub(super) struct Source {
    /// The TeX without any macro of the author's.
    pub text: String,
    /// Where parts of it came from, in order.
    parts: Vec<Part>,
}

/// A part of the text, up to the next part.
#[derive(Debug)]
struct Part {
    /// Where it begins in the text.
    at: usize,
    /// What was typed for it.
    typed: Range<usize>,
}

impl Source {
    /// Reads a formula. Definitions in it (`\newcommand`, `\def`, `\DeclareMathOperator`) count
    /// from where they stand; `\label` is dropped, since there is nothing that could refer to it.
    pub(super) fn of(tex: &str, macros: &Macros) -> Result<Self, Error> {
        if tex.len() > LONGEST {
            let message = format!("the formula has {} bytes, and {LONGEST} is the most that is set", tex.len());
            return Err(Error { message, help: "divide it into several".to_owned(), at: 0..tex.len() });
        }
        let mut reader =
            Reader { macros: macros.clone(), source: Self { text: String::new(), parts: Vec::new() }, work: 0 };
        reader.read(tex, &Origin::Typed, 0)?;
        Ok(reader.source)
    }

    /// What was typed for a range of the text.
    pub(super) fn typed(&self, range: Range<usize>) -> Range<usize> {
        let start = self.typed_at(range.start).start;
        let last = self.typed_at(range.end.saturating_sub(1).max(range.start)).end;
        start..last.max(start)
    }

    fn typed_at(&self, at: usize) -> Range<usize> {
        let index = self.parts.partition_point(|part| part.at <= at);
        let Some(part) = index.checked_sub(1).map(|index| &self.parts[index]) else { return 0..0 };
        let end = self.parts.get(index).map_or(self.text.len(), |next| next.at);
        if end - part.at == part.typed.len() {
            let start = (part.typed.start + (at - part.at)).min(part.typed.end);
            return start..(start + 1).min(part.typed.end);
        }
        part.typed.clone()
    }
}

/// Whose text is being read.
enum Origin {
    /// The author's own.
    Typed,
    /// A macro's, used at this place of the author's.
    Macro(Range<usize>),
}

impl Origin {
    fn typed(&self, range: Range<usize>) -> Range<usize> {
        match self {
            Self::Typed => range,
            Self::Macro(call) => call.clone(),
        }
    }
}

struct Reader {
    macros: Macros,
    source: Source,
    work: usize,
}

impl Reader {
    fn read(&mut self, tex: &str, origin: &Origin, depth: usize) -> Result<(), Error> {
        let mut copied = 0;
        let mut at = 0;
        while let Some(found) = tex[at..].find(['\\', '%']).map(|found| at + found) {
            if tex.as_bytes()[found] == b'%' {
                self.copy(tex, copied..found, origin)?;
                at = tex[found..].find('\n').map_or(tex.len(), |end| found + end);
                copied = at;
                continue;
            }
            let name = command(&tex[found + 1..]);
            let behind = found + 1 + name.len();
            at = behind;
            if let Some(end) = self.command(tex, found..behind, name, (origin, copied), depth)? {
                (at, copied) = (end, end);
            }
        }
        self.copy(tex, copied..tex.len(), origin)
    }

    /// Handles a command that is ours; tells where the text goes on behind it, or `None` for
    /// commands that are the engines'.
    fn command(
        &mut self,
        tex: &str,
        range: Range<usize>,
        name: &str,
        (origin, copied): (&Origin, usize),
        depth: usize,
    ) -> Result<Option<usize>, Error> {
        let cursor = Cursor { tex, at: range.end };
        let known = self.macros.get(name).cloned();
        let end = match (known, name) {
            (Some(known), _) => {
                self.copy(tex, copied..range.start, origin)?;
                return self.call(&known, range, cursor, origin, depth).map(Some);
            }
            (None, "label") => cursor.group().map(|(_, cursor)| cursor.at),
            (None, "mathbbm") => {
                self.copy(tex, copied..range.start, origin)?;
                self.push("\\mathbb ", origin.typed(range.clone()))?;
                return Ok(Some(range.end));
            }
            (None, "newcommand" | "renewcommand" | "providecommand" | "def" | "gdef" | "DeclareMathOperator") => {
                self.define(name, cursor)
            }
            (None, _) => return Ok(None),
        };
        let place = || origin.typed(range.clone());
        let end = end.ok_or_else(|| unreadable(name, place()))?;
        self.copy(tex, copied..range.start, origin)?;
        Ok(Some(end))
    }

    /// Spells a macro out; tells where the text goes on.
    fn call(
        &mut self,
        called: &Macro,
        range: Range<usize>,
        mut cursor: Cursor<'_>,
        origin: &Origin,
        depth: usize,
    ) -> Result<usize, Error> {
        let name = &cursor.tex[range.clone()];
        let mut arguments = Vec::with_capacity(called.arguments);
        for _ in 0..called.arguments {
            let Some((argument, next)) = cursor.argument() else {
                let message = format!("`{name}` needs {}", counted(called.arguments));
                return Err(Error { message, help: help_for(name), at: origin.typed(range) });
            };
            arguments.push(argument);
            cursor = next;
        }
        let call = origin.typed(range.start..cursor.at);
        let body = filled(&called.body, &arguments);
        self.work += body.len() + 1;
        if depth >= DEEPEST || self.work > MOST_WORK {
            let message = format!("`{name}` spells out without end");
            return Err(Error { message, help: "a macro must not use itself".to_owned(), at: call });
        }
        self.read(&body, &Origin::Macro(call.clone()), depth + 1)?;
        // `\x y` is not `\xy`, even when `\x` ends in the name of a command.
        if cursor.tex[cursor.at..].starts_with(|c: char| c.is_ascii_alphabetic()) && ends_in_command(&self.source.text)
        {
            self.push(" ", call)?;
        }
        Ok(cursor.at)
    }

    /// Reads a definition; tells where the text goes on, or `None` when it cannot be read.
    fn define(&mut self, how: &str, cursor: Cursor<'_>) -> Option<usize> {
        let (starred, cursor) = cursor.star();
        let (name, cursor) = cursor.argument()?;
        let name = name.trim().strip_prefix('\\').filter(|name| command(name).len() == name.len())?;
        let (parameters, cursor) = match how {
            "def" | "gdef" => cursor.parameters()?,
            "DeclareMathOperator" => (0, cursor),
            _ => cursor.count()?,
        };
        let (body, cursor) = cursor.group()?;
        if highest_parameter(body).is_none_or(|highest| highest > parameters) || !is_balanced(body) {
            return None;
        }
        let body = match (how, starred) {
            ("DeclareMathOperator", true) => format!("\\operatorname*{{{body}}}"),
            ("DeclareMathOperator", false) => format!("\\operatorname{{{body}}}"),
            _ => body.to_owned(),
        };
        self.macros.insert(name.to_owned(), Macro { arguments: parameters, body });
        Some(cursor.at)
    }

    fn copy(&mut self, tex: &str, range: Range<usize>, origin: &Origin) -> Result<(), Error> {
        self.push(&tex[range.clone()], origin.typed(range))
    }

    fn push(&mut self, text: &str, typed: Range<usize>) -> Result<(), Error> {
        if text.is_empty() {
            return Ok(());
        }
        if self.source.text.len() + text.len() > LONGEST {
            let message = format!("the formula has more than {LONGEST} bytes when its macros are spelt out");
            return Err(Error { message, help: "divide it into several".to_owned(), at: typed });
        }
        self.source.parts.push(Part { at: self.source.text.len(), typed });
        self.source.text.push_str(text);
        Ok(())
    }
}

/// A place in TeX, and what can be read from it.
#[derive(Clone, Copy)]
struct Cursor<'t> {
    tex: &'t str,
    at: usize,
}

impl<'t> Cursor<'t> {
    fn rest(self) -> &'t str {
        &self.tex[self.at..]
    }

    fn past_spaces(self) -> Self {
        let spaces = self.rest().len() - self.rest().trim_start().len();
        Self { at: self.at + spaces, ..self }
    }

    fn star(self) -> (bool, Self) {
        match self.past_spaces() {
            next if next.rest().starts_with('*') => (true, Self { at: next.at + 1, ..next }),
            _ => (false, self),
        }
    }

    /// What stands in braces, without them.
    fn group(self) -> Option<(&'t str, Self)> {
        let start = self.past_spaces();
        let rest = start.rest().strip_prefix('{')?;
        let mut depth = 1_usize;
        let mut escaped = false;
        for (at, byte) in rest.bytes().enumerate() {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'{' => depth += 1,
                b'}' => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                return Some((&rest[..at], Self { at: start.at + at + 2, ..start }));
            }
        }
        None
    }

    /// What stands in braces, or one command, or one character.
    fn argument(self) -> Option<(&'t str, Self)> {
        let start = self.past_spaces();
        let length = match start.rest().chars().next()? {
            '{' => return start.group(),
            '}' => return None,
            '\\' => 1 + command(&start.rest()[1..]).len(),
            c => c.len_utf8(),
        };
        Some((&start.rest()[..length], Self { at: start.at + length, ..start }))
    }

    /// `[n]`, or nothing for 0. A default for the first argument is more than is understood.
    fn count(self) -> Option<(usize, Self)> {
        let start = self.past_spaces();
        let Some(rest) = start.rest().strip_prefix('[') else { return Some((0, self)) };
        let (digits, _) = rest.split_once(']')?;
        let count = digits.trim().parse().ok().filter(|count| *count <= 9)?;
        Some((count, Self { at: start.at + digits.len() + 2, ..start }))
    }

    /// `#1#2…` up to the brace. Text between parameters is more than is understood.
    fn parameters(self) -> Option<(usize, Self)> {
        let (between, _) = self.rest().split_once('{')?;
        let count = between.matches('#').count();
        let plain = "#1#2#3#4#5#6#7#8#9".get(..2 * count);
        (Some(between.trim()) == plain).then_some((count, Self { at: self.at + between.len(), ..self }))
    }
}

/// The name of a command, from behind its backslash: letters, or one other character.
fn command(text: &str) -> &str {
    let letters = text.bytes().take_while(u8::is_ascii_alphabetic).count();
    let length = if letters == 0 { text.chars().next().map_or(0, char::len_utf8) } else { letters };
    &text[..length]
}

fn ends_in_command(text: &str) -> bool {
    let word = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    word.len() < text.len() && word.ends_with('\\') && !word.ends_with("\\\\")
}

fn filled(body: &str, arguments: &[&str]) -> String {
    let mut out = String::with_capacity(body.len());
    let mut chars = body.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => {
                out.push(c);
                out.extend(chars.next());
            }
            '#' => {
                let number = chars.next().and_then(|digit| digit.to_digit(10)).unwrap_or_default();
                out.push_str(arguments.get((number as usize).wrapping_sub(1)).copied().unwrap_or_default());
            }
            _ => out.push(c),
        }
    }
    out
}

fn counted(arguments: usize) -> String {
    if arguments == 1 { "an argument".to_owned() } else { format!("{arguments} arguments") }
}

fn help_for(name: &str) -> String {
    format!("write it as `{name}{{…}}`")
}

fn unreadable(name: &str, at: Range<usize>) -> Error {
    let (message, help) = match name {
        "label" => ("`\\label` has no name".to_owned(), "write `\\label{…}`, or leave it out".to_owned()),
        "DeclareMathOperator" => (
            "this `\\DeclareMathOperator` cannot be read".to_owned(),
            "write `\\DeclareMathOperator{\\argmin}{arg\\,min}`".to_owned(),
        ),
        _ => (
            format!("this `\\{name}` cannot be read"),
            "write `\\newcommand{\\name}[1]{… #1 …}`, or define it once in `[math.macros]`".to_owned(),
        ),
    };
    Error { message, help, at }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn macros() -> Macros {
        let mut macros = Macros::default();
        macros.define("R", "\\mathbb{R}").unwrap();
        macros.define("norm", "\\lVert #1 \\rVert").unwrap();
        macros.define("twice", "#1#1").unwrap();
        macros.define("loop", "x\\loop").unwrap();
        macros.define("g", "\\gamma").unwrap();
        macros
    }

    fn text(tex: &str) -> String {
        Source::of(tex, &macros()).unwrap().text
    }

    #[test]
    fn macros_are_spelt_out_inside_each_other() {
        assert_eq!(text("f: \\R^n \\to \\norm{\\R}"), "f: \\mathbb{R}^n \\to \\lVert \\mathbb{R} \\rVert");
        assert_eq!(text("\\norm x \\norm\\alpha"), "\\lVert x \\rVert \\lVert \\alpha \\rVert");
        assert_eq!(text("\\Real \\\\R"), "\\Real \\\\R");
        assert_eq!(text("\\g x + \\twice\\g y"), "\\gamma x + \\gamma\\gamma y");
        assert_eq!(text("\\norm{x}y {\\g}y"), "\\lVert x \\rVert y {\\gamma}y");
    }

    #[test]
    fn a_formula_may_define_its_own() {
        assert_eq!(text("\\newcommand{\\E}[2]{\\mathbb E_{#1}[#2]} \\E{x}{y}"), " \\mathbb E_{x}[y]");
        assert_eq!(text("\\renewcommand\\R{R}\\R"), "R");
        assert_eq!(text("\\def\\half#1{\\frac{#1}{2}}\\half3"), "\\frac{3}{2}");
        assert_eq!(text("\\DeclareMathOperator*{\\argmax}{arg\\,max}\\argmax_x"), "\\operatorname*{arg\\,max}_x");
        assert_eq!(text("a \\label{eq:1} b \\mathbbm{1}"), "a  b \\mathbb {1}");
        assert_eq!(text("a % \\loop\n b"), "a \n b");
    }

    #[test]
    fn a_place_is_that_of_what_was_typed() {
        let tex = "\\R + \\norm{x} + y";
        let source = Source::of(tex, &macros()).unwrap();
        let typed = |part: &str| {
            let at = source.text.find(part).unwrap();
            &tex[source.typed(at..at + part.len())]
        };
        assert_eq!(typed("mathbb"), "\\R");
        assert_eq!(typed("x"), "\\norm{x}");
        assert_eq!(typed("y"), "y");
        assert_eq!(typed("+ y"), "+ y");
        assert_eq!(source.typed(0..9999), 0..tex.len());
    }

    #[test]
    fn what_never_ends_is_stopped_and_what_is_broken_is_named() {
        let error = |tex: &str| Source::of(tex, &macros()).unwrap_err();
        assert_eq!(
            (error("a \\loop").message.as_str(), error("a \\loop").at),
            ("`\\loop` spells out without end", 2..7)
        );
        let bomb =
            "\\def\\a#1{#1#1}\\a{\\a{\\a{\\a{\\a{\\a{\\a{\\a{\\a{\\a{\\a{\\a{\\a{\\a{\\a{\\a{\\a{x}}}}}}}}}}}}}}}}}";
        assert!(error(bomb).message.contains("without end"));
        assert_eq!(error("\\norm").message, "`\\norm` needs an argument");
        assert!(error("\\newcommand{\\x}[1][2]{#1}").message.contains("newcommand"));
        assert!(error("\\label").help.contains("leave it out"));
        assert!(error(&"x".repeat(10_001)).message.contains("10001 bytes"));
    }
}
