//! math-core: TeX as MathML Core.

use math_core::{LatexToMathML, MathCoreConfig, MathDisplay};

use super::source::Source;
use super::{Fault, Style};

/// Writes the formula as a `<math>` element. The source was read by the other engine before:
/// it is not nested beyond reason.
pub(super) fn write(source: &Source, style: Style) -> Result<String, Fault> {
    let converter = LatexToMathML::new(MathCoreConfig::default()).expect("there are no macros to be wrong");
    let display = match style {
        Style::Inline => MathDisplay::Inline,
        Style::Display => MathDisplay::Block,
    };
    let converted = converter.convert_with_local_state(&source.text, display);
    converted.map(|converted| converted.mathml).map_err(|error| Fault {
        message: error.error_message().trim_end_matches('.').to_owned(),
        help: "spell it another way".to_owned(),
        at: error.0.clone(),
    })
}
