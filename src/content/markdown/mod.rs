//! Markdown becomes a [`Document`], once.

mod admonition;
mod attributes;
mod brackets;
mod build;
mod code;
mod code_info;
mod contents;
mod emoji;
mod expand;
mod formula;
mod frame;
mod illustration;
mod linkify;
mod liquid;
mod pieces;
mod quote;
mod shortcode;
mod slugs;
mod tags;
mod wiki;
mod words;

use pulldown_cmark::{Options, Parser};

use self::build::Builder;
use super::links::Linker;
use crate::diagnostic::Diagnostic;
use crate::domain::document::Document;

/// Named one by one: `Options::all()` would bring smart quotes into code-like prose, turn `~x~`
/// into subscript, and switch footnotes to their old syntax. Wiki links and `:::` fences are
/// expanded before: the parser would take Markdown's own links for the ones, and the others for
/// definitions.
const OPTIONS: Options = Options::ENABLE_TABLES
    .union(Options::ENABLE_FOOTNOTES)
    .union(Options::ENABLE_STRIKETHROUGH)
    .union(Options::ENABLE_TASKLISTS)
    .union(Options::ENABLE_HEADING_ATTRIBUTES)
    .union(Options::ENABLE_MATH)
    .union(Options::ENABLE_DEFINITION_LIST)
    .union(Options::ENABLE_GFM);

/// Parses a post's text, which begins at byte `body` of its file.
///
/// Links are resolved and complaints gathered by `linker`. The error is a text nested so deep
/// that no reader meant it.
pub(super) fn parse(file: &str, body: usize, linker: &mut Linker<'_>) -> Result<Document, Box<Diagnostic>> {
    let expanded = expand::expand(file, body, linker);
    let mut builder = Builder::new(file, &expanded, linker);
    for (event, range) in Parser::new_ext(&expanded.text, OPTIONS).into_offset_iter() {
        builder.event(event, range)?;
    }
    Ok(builder.finish())
}
