//! What the scopes of a grammar mean to a reader.

use std::str::FromStr;
use std::sync::LazyLock;

use syntect::parsing::{BasicScopeStackOp, Scope, ScopeError, ScopeStack, ScopeStackOp};

use super::Token;

/// What a scope says of the text in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    /// Nothing to be shown.
    Plain,
    /// A token.
    Token(Token),
    /// A keyword if it is a word (`and`, `in`), and nothing if it is a sign.
    Operator,
}

impl Meaning {
    /// The token of these words, if they are one.
    pub fn token(self, words: &str) -> Option<Token> {
        match self {
            Self::Plain => None,
            Self::Token(token) => Some(token),
            Self::Operator => words.starts_with(char::is_alphabetic).then_some(Token::Keyword),
        }
    }
}

/// The first that is the beginning of a scope counts; a scope that begins with none of them
/// means what the scope around it means.
const MEANINGS: [(&str, Meaning); 49] = {
    use Meaning::{Operator, Plain, Token as Is};
    [
        ("comment", Is(Token::Comment)),
        ("constant", Is(Token::Constant)),
        ("entity.name.function", Is(Token::Function)),
        ("entity.name.macro", Is(Token::Function)),
        ("entity.name.section", Is(Token::Heading)),
        ("entity.name.tag.yaml", Is(Token::Attribute)),
        ("entity.name.tag.toml", Is(Token::Attribute)),
        ("entity.name.tag.localname", Is(Token::Keyword)),
        ("entity.name.tag", Is(Token::Keyword)),
        ("entity.name.label", Is(Token::Constant)),
        ("entity.name.lifetime", Is(Token::Constant)),
        ("entity.name", Is(Token::Type)),
        ("entity.other.attribute-name", Is(Token::Attribute)),
        ("entity.other.inherited-class", Is(Token::Type)),
        ("keyword.operator.assignment.separator", Plain),
        ("keyword.operator", Operator),
        ("keyword.other.unit", Is(Token::Constant)),
        ("keyword", Is(Token::Keyword)),
        ("markup.deleted", Is(Token::Deleted)),
        ("markup.heading", Is(Token::Heading)),
        ("markup.inserted", Is(Token::Inserted)),
        ("markup.raw", Is(Token::String)),
        ("markup.underline.link", Is(Token::String)),
        ("meta.annotation", Is(Token::Attribute)),
        ("meta.attribute.rust", Is(Token::Attribute)),
        ("meta.block", Plain),
        ("meta.diff.header", Is(Token::Comment)),
        ("meta.diff.range", Is(Token::Heading)),
        ("meta.embedded", Plain),
        ("meta.interpolation", Plain),
        ("meta.mapping.key", Is(Token::Attribute)),
        ("meta.property-name", Is(Token::Attribute)),
        ("meta.structure.dictionary.key", Is(Token::Attribute)),
        ("punctuation.definition.variable.shell", Is(Token::Constant)),
        ("source", Plain),
        ("storage", Is(Token::Keyword)),
        ("string.unquoted.plain", Plain),
        ("string", Is(Token::String)),
        ("support.constant", Is(Token::Constant)),
        ("support.function", Is(Token::Function)),
        ("support.macro", Is(Token::Function)),
        ("support.type.property-name", Is(Token::Attribute)),
        ("support", Is(Token::Type)),
        ("text", Plain),
        ("variable.annotation", Is(Token::Attribute)),
        ("variable.function", Is(Token::Function)),
        ("variable.language", Is(Token::Keyword)),
        ("variable.other.readwrite.shell", Is(Token::Constant)),
        ("variable", Plain),
    ]
};

static PREFIXES: LazyLock<Vec<(Scope, Meaning)>> = LazyLock::new(|| {
    let scope = |name: &str| Scope::from_str(name).expect("the names are constants of few words");
    MEANINGS.iter().map(|(name, meaning)| (scope(name), *meaning)).collect()
});

/// Where a parser stands: the open scopes, and what each of them makes of the text.
#[derive(Default)]
pub(super) struct Tokens {
    scopes: ScopeStack,
    /// The meaning at each depth of `scopes`. Looking it up when it is asked for would take
    /// as long as the stack is high, and brackets can raise it without end.
    meanings: Vec<Meaning>,
}

impl Tokens {
    /// What the text means at this place.
    pub fn current(&self) -> Meaning {
        self.meanings.last().copied().unwrap_or(Meaning::Plain)
    }

    /// How many scopes lie in each other here.
    pub fn depth(&self) -> usize {
        self.meanings.len()
    }

    /// Goes on by one change. The error is a grammar that closes what it never opened.
    pub fn apply(&mut self, change: &ScopeStackOp) -> Result<(), ScopeError> {
        let meanings = &mut self.meanings;
        self.scopes.apply_with_hook(change, |step, _| match step {
            BasicScopeStackOp::Push(scope) => {
                let around = meanings.last().copied().unwrap_or(Meaning::Plain);
                meanings.push(meaning(scope, around));
            }
            BasicScopeStackOp::Pop => {
                meanings.pop();
            }
        })
    }
}

fn meaning(scope: Scope, around: Meaning) -> Meaning {
    let own = PREFIXES.iter().find(|(prefix, _)| prefix.is_prefix_of(scope)).map_or(around, |(_, own)| *own);
    // The quotes of a key do not make it a text.
    let is_quoted_key = around == Meaning::Token(Token::Attribute) && own == Meaning::Token(Token::String);
    if is_quoted_key { around } else { own }
}
