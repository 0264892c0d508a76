//! math-core: TeX as MathML Core.

use std::borrow::Cow;
use std::sync::LazyLock;

use math_core::{LatexToMathML, MathCoreConfig, MathDisplay};

use super::macros::Macros;
use super::portable::portable;
use super::source::Source;
use super::{Fault, Style};

/// What this engine does not know, in words that it knows.
static DIALECT: LazyLock<Macros> = LazyLock::new(|| {
    let mut macros = Macros::default();
    for (name, body) in [
        ("widetilde", r"\overset{\sim}{#1}"),
        ("substack", r"\begin{matrix}#1\end{matrix}"),
        ("textcolor", r"{\color{#1}#2}"),
    ] {
        macros.define(name, body).expect("the definitions are constants");
    }
    macros
});

/// Environments whose lines may bear numbers.
const NUMBERED: [&str; 4] = ["{equation}", "{align}", "{gather}", "{multline}"];

const BEGIN: &str = "\\begin{equation}";

/// The formula in an environment that may bear a number, when it bears one outside of any.
fn numbered(text: &str, style: Style) -> Cow<'_, str> {
    let is_bare = text.contains("\\tag") && !NUMBERED.iter().any(|name| text.contains(name));
    match style {
        Style::Display if is_bare => format!("{BEGIN}{text}\\end{{equation}}").into(),
        Style::Display | Style::Inline => text.into(),
    }
}

/// Writes the formula as a `<math>` element. The source was read by the other engine before:
/// it is not nested beyond reason.
pub(super) fn write(source: &Source, style: Style) -> Result<String, Fault> {
    let converter = LatexToMathML::new(MathCoreConfig::default()).expect("there are no macros to be wrong");
    let display = match style {
        Style::Inline => MathDisplay::Inline,
        Style::Display => MathDisplay::Block,
    };
    let spelt = Source::of(&source.text, &DIALECT).map_err(|error| Fault {
        message: error.message,
        help: error.help,
        at: error.at,
    })?;
    let text = numbered(&spelt.text, style);
    let converted = converter.convert_with_local_state(&text, display);
    converted.map(|converted| portable(&converted.mathml)).map_err(|error| Fault {
        message: error.error_message().trim_end_matches('.').to_owned(),
        help: "spell it another way".to_owned(),
        // Never shown: what this engine cannot write is drawn by the other.
        at: error.0.clone(),
    })
}
