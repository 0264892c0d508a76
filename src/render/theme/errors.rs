//! What Tera says is wrong, as diagnostics that point into the author's file.

use tera::{Error, ErrorKind, ReportError};

use super::sources::Sources;
use crate::diagnostic::{Diagnostic, Place};

/// The error as one diagnostic; `template` is meant when the error names no other.
pub(super) fn first(error: &Error, template: &str, sources: &Sources) -> Diagnostic {
    match error.kind() {
        ErrorKind::SyntaxError(report) => at("template-syntax", report, sources),
        ErrorKind::RenderingError(report) => at("template-render", report, sources),
        ErrorKind::CircularExtend { tpl, .. } => {
            whole("template-circle", tpl, "the template extends itself by a detour", sources)
        }
        ErrorKind::CircularInclude { tpl, .. } => {
            whole("template-circle", tpl, "the template includes itself by a detour", sources)
        }
        ErrorKind::MissingParent { current, parent } => {
            whole("template-missing", current, format!("it extends `{parent}`, which does not exist"), sources)
        }
        ErrorKind::Io(_) => whole("template-output", template, "the template writes more than 32 MiB", sources)
            .help("look for a loop that repeats more than it should"),
        // Tera's kinds may grow; whatever else there is says in words what is wrong.
        _ => whole("template-render", template, error.to_string(), sources),
    }
}

/// All that an error on loading says: it may report several names that do not exist.
pub(super) fn all(error: &Error, sources: &Sources) -> Vec<Diagnostic> {
    match error.kind() {
        ErrorKind::Msg(text) => {
            let reports: Vec<Diagnostic> = reports(text).map(|report| report.diagnostic(sources)).collect();
            if reports.is_empty() { vec![whole("template-syntax", "", text.clone(), sources)] } else { reports }
        }
        _ => vec![first(error, "", sources)],
    }
}

fn at(code: &'static str, report: &ReportError, sources: &Sources) -> Diagnostic {
    let name = report.filename();
    let place = Place::span(sources.file(name), sources.text(name), report.span().range.clone());
    let (message, help) = split_help(report.message());
    let diagnostic = Diagnostic::error(code, place, message);
    match help {
        Some(help) => diagnostic.help(help),
        None => diagnostic,
    }
}

/// Tera puts what to do after what is wrong, in sentences or lines of their own.
fn split_help(message: &str) -> (String, Option<String>) {
    let message = message.trim();
    let cut = message.find('\n').map(|at| (at, at + 1)).or_else(|| message.find(". ").map(|at| (at, at + 2)));
    let (what, help) = match cut {
        Some((end, start)) => {
            (&message[..end], Some(message[start..].split_whitespace().collect::<Vec<_>>().join(" ")))
        }
        None => (message, None),
    };
    (what.trim_end_matches('.').to_owned(), help.filter(|help| !help.is_empty()))
}

fn whole(code: &'static str, template: &str, message: impl Into<String>, sources: &Sources) -> Diagnostic {
    let file = if template.is_empty() { "templates".into() } else { sources.file(template) };
    Diagnostic::error(code, Place::file(file), message)
}

/// One of the reports in Tera's collected text: `error: …`, then ` --> name:line:column`.
struct Report<'a> {
    message: &'a str,
    name: &'a str,
    line: usize,
    column: usize,
}

fn reports(text: &str) -> impl Iterator<Item = Report<'_>> {
    let lines: Vec<&str> = text.lines().collect();
    let pairs: Vec<Report> = lines
        .windows(2)
        .filter_map(|pair| {
            let message = pair[0].strip_prefix("error: ")?;
            let mut place = pair[1].trim_start().strip_prefix("--> ")?.rsplitn(3, ':');
            let column = place.next()?.parse().ok()?;
            let line = place.next()?.parse().ok()?;
            Some(Report { message, name: place.next()?, line, column })
        })
        .collect();
    pairs.into_iter()
}

impl Report<'_> {
    fn diagnostic(&self, sources: &Sources) -> Diagnostic {
        let text = sources.text(self.name).lines().nth(self.line.saturating_sub(1)).unwrap_or_default();
        let place = Place {
            file: sources.file(self.name),
            line: self.line,
            column: self.column,
            width: 1,
            text: text.to_owned(),
        };
        Diagnostic::error("template-syntax", place, self.message.trim_end_matches('.'))
    }
}
