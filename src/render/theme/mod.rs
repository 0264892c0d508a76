//! The templates: built into the binary, overlaid file by file by a publication's own.

#[cfg(test)]
mod contrast;
mod errors;
mod formulas;
mod limits;
mod sources;

use std::path::Path;

use css_inline::{CSSInliner, InlineOptions};
use tera::{Context, Tera};

use super::slots;
use crate::diagnostic::{Diagnostic, Place};
use crate::domain::issue::Slot;
pub use formulas::{Formulas, math_font};
use sources::Sources;

/// The loaded templates and the inliner. Loaded once and shared by all threads.
pub struct Theme {
    tera: Tera,
    sources: Sources,
    stylesheet_path: String,
    formulas: Formulas,
    inliner: CSSInliner<'static>,
    subscriber_fields: Vec<Slot>,
}

impl std::fmt::Debug for Theme {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Theme").field("stylesheet_path", &self.stylesheet_path).finish_non_exhaustive()
    }
}

impl Theme {
    /// Loads the built-in templates and puts the files of `overlay` in their place, file by
    /// file. Every template that cannot be read or parsed is an error with its place; a
    /// folder that does not exist is no overlay.
    pub fn load(overlay: Option<&Path>) -> Result<Self, Vec<Diagnostic>> {
        let sources = Sources::load(overlay)?;
        let tera = compiled(&sources)?;
        let compared: Vec<Diagnostic> =
            sources.iter().flat_map(|(name, text)| compared(&sources, name, text)).collect();
        if !compared.is_empty() {
            return Err(compared);
        }
        let style = sources.text(STYLESHEET);
        let stylesheet_path = format!("assets/style-{}.css", super::digest([style.as_bytes()]));
        let formulas = Formulas::new(sources.text(MATH_STYLESHEET));
        let subscriber_fields = slots::mentioned(sources.iter().map(|(_, text)| text));
        Ok(Self { tera, sources, stylesheet_path, formulas, inliner: inliner(), subscriber_fields })
    }

    /// A digest of all templates: pages are made anew when it changes.
    pub fn digest(&self) -> String {
        super::digest(self.sources.iter().flat_map(|(name, text)| [name.as_bytes(), text.as_bytes()]))
    }

    /// What pages with formulas need beside the stylesheet of all pages.
    pub fn formulas(&self) -> &Formulas {
        &self.formulas
    }

    /// What its templates use of a subscriber who may lack it.
    pub(super) fn subscriber_fields(&self) -> &[Slot] {
        &self.subscriber_fields
    }

    /// Renders one template. Every variable it names must exist.
    pub(super) fn render(&self, template: &str, context: &Context) -> Result<String, Diagnostic> {
        limits::bounded(|out| self.tera.render_to(template, context, out))
            .map_err(|error| errors::first(&error, template, &self.sources))
    }

    /// Moves the styles of a mail into its elements, where every client reads them. What
    /// cannot be inlined (`@media`, dark mode) stays in the head.
    pub(super) fn inlined(&self, html: &str, template: &str) -> Result<String, Diagnostic> {
        self.inliner.inline(html).map_err(|error| {
            self.error("template-css", template, format!("the styles of the mail cannot be inlined: {error}"))
        })
    }

    /// An error about a template as a whole.
    pub(super) fn error(&self, code: &'static str, template: &str, message: impl Into<String>) -> Diagnostic {
        Diagnostic::error(code, Place::file(self.sources.file(template)), message)
    }
}

/// The templates that are no templates: the pages' stylesheets.
const STYLESHEET: &str = "style.css";
const MATH_STYLESHEET: &str = "math.css";

/// The text of the one stylesheet all pages use.
pub fn stylesheet(theme: &Theme) -> &str {
    theme.sources.text(STYLESHEET)
}

/// Where the stylesheet lies under the site; the name holds a digest of its content, so it
/// may be cached for ever.
pub fn stylesheet_path(theme: &Theme) -> &str {
    &theme.stylesheet_path
}

/// Parses all templates. All syntax errors are reported at once; names that do not exist
/// (a filter, an included file) are looked for only when everything parses.
fn compiled(sources: &Sources) -> Result<Tera, Vec<Diagnostic>> {
    let templates = || sources.iter().filter(|(name, _)| ![STYLESHEET, MATH_STYLESHEET].contains(name));
    let syntax: Vec<Diagnostic> = templates()
        .filter_map(|(name, text)| {
            let error = engine().add_raw_template(name, text).err()?;
            matches!(error.kind(), tera::ErrorKind::SyntaxError(_)).then(|| errors::first(&error, name, sources))
        })
        .collect();
    if !syntax.is_empty() {
        return Err(syntax);
    }
    let mut tera = engine();
    tera.add_raw_templates(templates()).map_err(|error| errors::all(&error, sources))?;
    Ok(tera)
}

/// One error for each comparison with what differs from subscriber to subscriber.
fn compared(sources: &Sources, name: &str, text: &str) -> impl Iterator<Item = Diagnostic> {
    slots::comparisons(text).into_iter().map(move |range| {
        let message =
            format!("`{}` is compared, and its value is not known while the mail is rendered", &text[range.clone()]);
        let help = format!("ask only whether there is one: `{{% if {} %}}`", &text[range.clone()]);
        Diagnostic::error("template-comparison", Place::span(sources.file(name), text, range), message).help(help)
    })
}

/// An engine without templates. Tera has no functions that read files, the environment or
/// the network; the one that makes long lists is replaced by a bounded one.
pub(super) fn engine() -> Tera {
    let mut tera = Tera::new();
    tera.autoescape_on([".html", ".htm", ".xml", ".svg"]);
    tera.register_function("range", limits::range);
    tera.register_filter("default", slots::default);
    tera
}

/// One inliner for all issues. It never loads anything: there is no resolver for files or
/// the network in this build, and remote stylesheets are off.
fn inliner() -> CSSInliner<'static> {
    CSSInliner::new(InlineOptions {
        inline_style_tags: true,
        keep_style_tags: true,
        keep_at_rules: true,
        remove_inlined_selectors: true,
        load_remote_stylesheets: false,
        // Spaces count: Gmail cuts a mail off at 102 KB.
        minify_css: true,
        resolve_css_variables: true,
        ..InlineOptions::default()
    })
}

#[cfg(test)]
mod tests;
