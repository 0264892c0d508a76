//! Formulas that are text: a letter, a number, a short relation. As text they are searched,
//! spoken, copied and shown in the reader's own font and colours, which no picture is.

/// A piece of such a formula.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// Letters that stand for something: set in italics.
    Letters(String),
    /// Numbers, signs, names of functions: set upright. Some spaces in it do not break.
    Signs(String),
    /// What is raised.
    Raised(Vec<Piece>),
    /// What is lowered.
    Lowered(Vec<Piece>),
}

/// No formula of more pieces is text; it would not read as one.
const MOST: usize = 24;

const NO_BREAK: char = '\u{a0}';

/// Greek, in the italics of TeX.
const GREEK: [(&str, &str); 29] = [
    ("alpha", "α"),
    ("beta", "β"),
    ("gamma", "γ"),
    ("delta", "δ"),
    ("epsilon", "ϵ"),
    ("varepsilon", "ε"),
    ("zeta", "ζ"),
    ("eta", "η"),
    ("theta", "θ"),
    ("vartheta", "ϑ"),
    ("iota", "ι"),
    ("kappa", "κ"),
    ("lambda", "λ"),
    ("mu", "μ"),
    ("nu", "ν"),
    ("xi", "ξ"),
    ("omicron", "ο"),
    ("pi", "π"),
    ("rho", "ρ"),
    ("sigma", "σ"),
    ("varsigma", "ς"),
    ("tau", "τ"),
    ("upsilon", "υ"),
    ("phi", "ϕ"),
    ("varphi", "φ"),
    ("chi", "χ"),
    ("psi", "ψ"),
    ("omega", "ω"),
    ("ell", "ℓ"),
];

/// What is set upright and close to its neighbours.
const CLOSE: [(&str, &str); 19] = [
    ("Gamma", "Γ"),
    ("Delta", "Δ"),
    ("Theta", "Θ"),
    ("Lambda", "Λ"),
    ("Xi", "Ξ"),
    ("Pi", "Π"),
    ("Sigma", "Σ"),
    ("Phi", "Φ"),
    ("Psi", "Ψ"),
    ("Omega", "Ω"),
    ("infty", "∞"),
    ("partial", "∂"),
    ("nabla", "∇"),
    ("ldots", "…"),
    ("dots", "…"),
    ("top", "⊤"),
    ("ast", "∗"),
    ("star", "⋆"),
    ("%", "%"),
];

/// Relations and operators, which stand between spaces.
const APART: [(&str, &str); 25] = [
    ("+", "+"),
    ("-", "−"),
    ("=", "="),
    ("<", "<"),
    (">", ">"),
    ("pm", "±"),
    ("times", "×"),
    ("cdot", "·"),
    ("le", "≤"),
    ("leq", "≤"),
    ("ge", "≥"),
    ("geq", "≥"),
    ("ne", "≠"),
    ("neq", "≠"),
    ("lt", "<"),
    ("gt", ">"),
    ("approx", "≈"),
    ("equiv", "≡"),
    ("sim", "∼"),
    ("ll", "≪"),
    ("gg", "≫"),
    ("in", "∈"),
    ("to", "→"),
    ("rightarrow", "→"),
    ("mapsto", "↦"),
];

const FUNCTIONS: [&str; 8] = ["log", "ln", "exp", "sin", "cos", "tan", "max", "min"];

const BLACKBOARD: [(&str, &str); 6] = [("N", "ℕ"), ("Z", "ℤ"), ("Q", "ℚ"), ("R", "ℝ"), ("C", "ℂ"), ("P", "ℙ")];

const RAISED: [(char, char); 15] = [
    ('0', '⁰'),
    ('1', '¹'),
    ('2', '²'),
    ('3', '³'),
    ('4', '⁴'),
    ('5', '⁵'),
    ('6', '⁶'),
    ('7', '⁷'),
    ('8', '⁸'),
    ('9', '⁹'),
    ('+', '⁺'),
    ('−', '⁻'),
    ('n', 'ⁿ'),
    ('i', 'ⁱ'),
    ('T', 'ᵀ'),
];

const LOWERED: [(char, char); 19] = [
    ('0', '₀'),
    ('1', '₁'),
    ('2', '₂'),
    ('3', '₃'),
    ('4', '₄'),
    ('5', '₅'),
    ('6', '₆'),
    ('7', '₇'),
    ('8', '₈'),
    ('9', '₉'),
    ('+', '₊'),
    ('−', '₋'),
    ('i', 'ᵢ'),
    ('j', 'ⱼ'),
    ('k', 'ₖ'),
    ('m', 'ₘ'),
    ('n', 'ₙ'),
    ('t', 'ₜ'),
    ('x', 'ₓ'),
];

/// The pieces of a formula without macros; `None` when it is more than text.
pub(super) fn pieces(tex: &str) -> Option<Vec<Piece>> {
    let mut writer = Writer::default();
    let mut tokens = Tokens { rest: tex.trim() };
    while let Some(token) = tokens.next() {
        match token {
            "^" => writer.script(Piece::Raised(tokens.script()?))?,
            "_" => writer.script(Piece::Lowered(tokens.script()?))?,
            token => writer.token(token, &mut tokens)?,
        }
    }
    let is_text = !writer.pieces.is_empty() && writer.pieces.len() <= MOST && writer.before != Before::Operator;
    is_text.then_some(writer.pieces)
}

/// The pieces in characters alone, for plain text: `x²`, `αᵢ`. `None` when Unicode has no such
/// raised or lowered character.
pub(super) fn characters(pieces: &[Piece]) -> Option<String> {
    let mut out = String::new();
    for piece in pieces {
        match piece {
            Piece::Letters(text) | Piece::Signs(text) => out.push_str(&text.replace(NO_BREAK, " ")),
            Piece::Raised(inner) => out.push_str(&moved(inner, &RAISED)?),
            Piece::Lowered(inner) => out.push_str(&moved(inner, &LOWERED)?),
        }
    }
    Some(out)
}

fn moved(pieces: &[Piece], table: &[(char, char)]) -> Option<String> {
    let text = characters(pieces)?;
    text.chars().map(|c| table.iter().find(|(plain, _)| *plain == c).map(|(_, moved)| *moved)).collect()
}

/// What stands before the next piece.
#[derive(Debug, Default, PartialEq, Eq)]
enum Before {
    /// Nothing, or a bracket that opens: a minus is a sign here.
    #[default]
    Start,
    /// Something that can bear a script.
    Atom,
    /// Something that bears one: a second would have to stand over or under it.
    Scripted,
    /// The name of a function, which wants a space before its argument.
    Function,
    /// A relation or an operator.
    Operator,
}

#[derive(Default)]
struct Writer {
    pieces: Vec<Piece>,
    before: Before,
}

impl Writer {
    fn token(&mut self, token: &str, tokens: &mut Tokens) -> Option<()> {
        let name = token.strip_prefix('\\').unwrap_or(token);
        let is_command = token.starts_with('\\');
        if let Some(sign) =
            find(&APART, name).filter(|_| is_command || name.len() == 1 && !name.starts_with(char::is_alphabetic))
        {
            return self.operator(sign);
        }
        match (is_command, name) {
            (true, "mathbb") => self.signs(find(&BLACKBOARD, tokens.group()?)?),
            (true, name) if FUNCTIONS.contains(&name) => self.function(name),
            (true, name) => match find(&GREEK, name) {
                Some(letter) => self.letters(letter),
                None => self.signs(find(&CLOSE, name)?),
            },
            (false, "(" | "[") => {
                self.push(Piece::Signs(name.to_owned()));
                self.before = Before::Start;
            }
            (false, ",") => {
                self.signs(", ");
                self.before = Before::Start;
            }
            (false, ")" | "]" | "!" | "/" | "|" | ".") => self.signs(name),
            (false, "'") => self.script(Piece::Signs("′".to_owned()))?,
            (false, name) if name.bytes().all(|byte| byte.is_ascii_digit()) => self.signs(name),
            (false, name) if name.bytes().all(|byte| byte.is_ascii_alphabetic()) => self.letters(name),
            (false, _) => return None,
        }
        Some(())
    }

    fn operator(&mut self, sign: &str) -> Option<()> {
        match self.before {
            Before::Atom | Before::Scripted => {
                // A line may break behind an operator, as in TeX, and not before it.
                self.push(Piece::Signs(format!("{NO_BREAK}{sign} ")));
                self.before = Before::Operator;
            }
            Before::Start | Before::Operator if sign == "−" || sign == "+" || sign == "±" => {
                self.push(Piece::Signs(sign.to_owned()));
                self.before = Before::Start;
            }
            Before::Start | Before::Operator | Before::Function => return None,
        }
        Some(())
    }

    fn function(&mut self, name: &str) {
        if matches!(self.before, Before::Atom | Before::Scripted | Before::Function) {
            self.push(Piece::Signs(NO_BREAK.to_string()));
        }
        self.push(Piece::Signs(name.to_owned()));
        self.before = Before::Function;
    }

    fn letters(&mut self, text: &str) {
        self.space();
        self.push(Piece::Letters(text.to_owned()));
        self.before = Before::Atom;
    }

    fn signs(&mut self, text: &str) {
        self.space();
        self.push(Piece::Signs(text.to_owned()));
        self.before = Before::Atom;
    }

    /// The space between a function and its argument.
    fn space(&mut self) {
        if self.before == Before::Function {
            self.push(Piece::Signs(NO_BREAK.to_string()));
        }
    }

    fn script(&mut self, piece: Piece) -> Option<()> {
        match self.before {
            Before::Atom => {
                self.push(piece);
                self.before = Before::Scripted;
                Some(())
            }
            Before::Start | Before::Scripted | Before::Function | Before::Operator => None,
        }
    }

    fn push(&mut self, piece: Piece) {
        match (self.pieces.last_mut(), piece) {
            (Some(Piece::Letters(last)), Piece::Letters(text)) | (Some(Piece::Signs(last)), Piece::Signs(text)) => {
                last.push_str(&text);
            }
            (_, piece) => self.pieces.push(piece),
        }
    }
}

fn find<'t>(table: &[(&str, &'t str)], name: &str) -> Option<&'t str> {
    table.iter().find(|(known, _)| *known == name).map(|(_, sign)| *sign)
}

/// Commands and characters, spaces passed over.
struct Tokens<'t> {
    rest: &'t str,
}

impl<'t> Tokens<'t> {
    fn next(&mut self) -> Option<&'t str> {
        self.rest = self.rest.trim_start();
        let first = self.rest.chars().next()?;
        let name = &self.rest[first.len_utf8()..];
        let length = match first {
            '\\' => 1 + name.bytes().take_while(u8::is_ascii_alphabetic).count().max(1).min(name.len()),
            _ => first.len_utf8(),
        };
        // A backslash before a character of several bytes is no command that is known here.
        let token = self.rest.get(..length)?;
        self.rest = &self.rest[length..];
        Some(token)
    }

    /// The one token of a group in braces, or the next token.
    fn group(&mut self) -> Option<&'t str> {
        match self.next()? {
            "{" => {
                let (inner, rest) = self.rest.split_once('}')?;
                self.rest = rest;
                Some(inner.trim())
            }
            token => Some(token),
        }
    }

    /// What is raised or lowered: a group without scripts of its own.
    fn script(&mut self) -> Option<Vec<Piece>> {
        let group = self.group()?;
        let pieces = if matches!(group, "+" | "-") { return Some(vec![sign(group)]) } else { pieces(group)? };
        let is_flat = pieces.iter().all(|piece| matches!(piece, Piece::Letters(_) | Piece::Signs(_)));
        is_flat.then(|| pieces.into_iter().map(closed).collect())
    }
}

fn sign(group: &str) -> Piece {
    Piece::Signs(if group == "-" { "−".to_owned() } else { group.to_owned() })
}

/// In a script nothing stands apart.
fn closed(piece: Piece) -> Piece {
    match piece {
        Piece::Signs(text) => Piece::Signs(text.replace([' ', NO_BREAK], "")),
        other @ (Piece::Letters(_) | Piece::Raised(_) | Piece::Lowered(_)) => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn html(tex: &str) -> Option<String> {
        fn write(pieces: &[Piece]) -> String {
            pieces.iter().fold(String::new(), |out, piece| match piece {
                Piece::Letters(text) => format!("{out}/{text}/"),
                Piece::Signs(text) => out + &text.replace(NO_BREAK, "~"),
                Piece::Raised(inner) => format!("{out}^[{}]", write(inner)),
                Piece::Lowered(inner) => format!("{out}_[{}]", write(inner)),
            })
        }
        pieces(tex).map(|pieces| write(&pieces))
    }

    #[test]
    fn short_formulas_are_text() {
        for (tex, expected) in [
            ("x", "/x/"),
            ("x^2", "/x/^[2]"),
            ("\\alpha", "/α/"),
            ("n_1", "/n/_[1]"),
            ("x_{i+1}", "/x/_[/i/+1]"),
            ("k \\le 10", "/k/~≤ 10"),
            ("-1", "−1"),
            ("y = -x", "/y/~= −/x/"),
            ("O(n \\log n)", "/O/(/n/~log~/n/)"),
            ("f'(x)", "/f/′(/x/)"),
            ("f(x, y)", "/f/(/x/, /y/)"),
            ("\\mathbb{R}^d", "ℝ^[/d/]"),
            ("1/2", "1/2"),
            ("0.05", "0.05"),
            ("\\log(x)", "log(/x/)"),
            ("A^\\top", "/A/^[⊤]"),
            ("x^{-1}", "/x/^[−1]"),
            ("5\\%", "5%"),
        ] {
            assert_eq!(html(tex).as_deref(), Some(expected), "{tex}");
        }
    }

    #[test]
    fn what_needs_typesetting_is_none() {
        for tex in [
            "",
            " ",
            "x_1^2",
            "x^{y^z}",
            "\\frac12",
            "\\hat y",
            "\\sqrt x",
            "\\sum x",
            "{x}",
            "a =",
            "= a",
            "x^",
            "^2",
            "a\\,b",
            "\\mathcal{L}",
            "\\mathbb{E}",
            "\\",
            "\\é",
            "a & b",
            "x^{}",
            "\\text{if}",
            "a == b",
            "é",
        ] {
            assert_eq!(html(tex), None, "{tex}");
        }
    }

    #[test]
    fn some_are_characters_alone() {
        let plain = |tex| characters(&pieces(tex).unwrap());
        assert_eq!(plain("x^2 + y_i").as_deref(), Some("x² + yᵢ"));
        assert_eq!(plain("2^{-10}").as_deref(), Some("2⁻¹⁰"));
        assert_eq!(plain("\\alpha_t").as_deref(), Some("αₜ"));
        assert_eq!(plain("x^k"), None);
    }
}
