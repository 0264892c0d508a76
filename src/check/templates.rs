//! A publication's own templates: colours that can be read, and what mail clients leave out.

use std::collections::BTreeSet;
use std::ops::Range;
use std::path::{Path, PathBuf};

use super::support::{Kind, without};
use crate::diagnostic::{Diagnostic, Place};

/// The least contrast of text that everybody can read (WCAG 2.2, 1.4.3).
const LEAST_CONTRAST: f64 = 4.5;

/// A template larger than this is not looked into.
const MAX_SIZE: u64 = 1 << 20;

/// Looks through the templates under a folder; their files are named as `folder` is.
pub fn templates(folder: &Path) -> Vec<Diagnostic> {
    let mut out = Vec::new();
    for file in files(folder) {
        let size = std::fs::metadata(&file).map_or(0, |meta| meta.len());
        let Some(text) = (size <= MAX_SIZE).then(|| std::fs::read_to_string(&file).ok()).flatten() else { continue };
        let is_mail = file.strip_prefix(folder).is_ok_and(|inner| inner.starts_with("mail"));
        contrast(&file, &text, &mut out);
        if is_mail {
            support(&file, &text, &mut out);
        }
    }
    out
}

fn files(folder: &Path) -> BTreeSet<PathBuf> {
    let mut found = BTreeSet::new();
    let mut open = vec![folder.to_owned()];
    while let Some(next) = open.pop() {
        for entry in std::fs::read_dir(next).into_iter().flatten().flatten() {
            let path = entry.path();
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == "html" || extension == "css") {
                found.insert(path);
            }
        }
    }
    found
}

/// Every set of declarations: between the braces of a rule, or in a `style` attribute.
fn declarations(text: &str) -> impl Iterator<Item = Range<usize>> {
    let rules = text.match_indices('{').filter_map(|(at, _)| {
        let inner = &text[at + 1..];
        let end = inner.find(['{', '}'])?;
        (inner[end..].starts_with('}') && inner[..end].contains(':')).then_some(at + 1..at + 1 + end)
    });
    let attributes = text.match_indices("style=\"").filter_map(|(at, mark)| {
        let start = at + mark.len();
        Some(start..start + text[start..].find('"')?)
    });
    rules.chain(attributes)
}

/// The declarations of a set: property, value, and where it stands.
fn pairs(text: &str, set: Range<usize>) -> impl Iterator<Item = (&str, &str, Range<usize>)> {
    let mut at = set.start;
    text[set].split(';').filter_map(move |one| {
        let start = at + one.len() - one.trim_start().len();
        at += one.len() + 1;
        let (property, value) = one.split_once(':')?;
        let value = value.trim().trim_end_matches("!important").trim();
        Some((property.trim(), value, start..start + one.trim().len()))
    })
}

fn contrast(file: &Path, text: &str, out: &mut Vec<Diagnostic>) {
    for set in declarations(text) {
        let value = |names: &[&str]| pairs(text, set.clone()).find(|(name, ..)| names.contains(name));
        let (Some(ink), Some(paper)) = (value(&["color"]), value(&["background-color", "background"])) else {
            continue;
        };
        let (Some(front), Some(back)) = (luminance(ink.1), luminance(paper.1)) else { continue };
        let ratio = (front.max(back) + 0.05) / (front.min(back) + 0.05);
        if ratio < LEAST_CONTRAST {
            let message = format!("`{}` on `{}` has a contrast of {ratio:.1}:1", ink.1, paper.1);
            let help = format!("make one of them darker or lighter, to at least {LEAST_CONTRAST}:1");
            out.push(Diagnostic::warning("contrast", Place::span(file, text, ink.2), message).help(help));
        }
    }
}

/// The relative luminance of `#rgb` or `#rrggbb` (WCAG 2.2).
fn luminance(colour: &str) -> Option<f64> {
    let hex = colour.strip_prefix('#')?;
    let digits: Vec<u32> = hex.chars().map(|c| c.to_digit(16)).collect::<Option<_>>()?;
    let channels: Vec<u32> = match digits.len() {
        3 => digits.iter().map(|digit| digit * 17).collect(),
        6 => digits.chunks(2).map(|pair| pair[0] * 16 + pair[1]).collect(),
        _ => return None,
    };
    let linear = |channel: u32| {
        let share = f64::from(channel) / 255.0;
        if share <= 0.04045 { share / 12.92 } else { ((share + 0.055) / 1.055).powf(2.4) }
    };
    Some(0.2126 * linear(channels[0]) + 0.7152 * linear(channels[1]) + 0.0722 * linear(channels[2]))
}

/// What Gmail or Outlook leave out, each feature once.
fn support(file: &Path, text: &str, out: &mut Vec<Diagnostic>) {
    let mut said = BTreeSet::new();
    let mut say = |kind: Kind, feature: &str, span: Range<usize>| {
        let lacking = without(kind, feature);
        let matters = lacking.iter().any(|client| client.starts_with("Gmail") || client.starts_with("Outlook for"));
        if matters && said.insert(feature.to_owned()) {
            let message = format!("`{feature}` is not shown by {}", lacking.join(", "));
            let help = "keep it only if the mail can be read without it (data of caniemail.com)";
            out.push(Diagnostic::warning("client-support", Place::span(file, text, span), message).help(help));
        }
    };
    for set in declarations(text) {
        for (property, value, span) in pairs(text, set) {
            let both = format!("{property}:{value}");
            say(Kind::Css, &both, span.clone());
            say(Kind::Css, property, span);
        }
    }
    for (at, _) in text.match_indices('<') {
        let name = &text[at + 1..];
        let end = name.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(name.len());
        say(Kind::Html, &name[..end], at..at + 1 + end);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(name: &str, text: &str) -> Vec<(&'static str, usize, usize)> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
        let found = templates(folder.path());
        found.iter().map(|one| (one.code, one.place.line, one.place.column)).collect()
    }

    #[test]
    fn colours_nobody_can_read_are_found_where_they_stand() {
        let text = "<style>\np { background: #fff; color: #aaa }\nb { color: #000; background: #ffffff }\n</style>";
        assert_eq!(found("base.html", text), [("contrast", 2, 23)]);
        assert_eq!(found("base.html", "<p style=\"color:#777;background-color:#888\">x</p>"), [("contrast", 1, 11)]);
        assert_eq!(found("base.html", "{{ a }} {% if b %}<p style=\"color:#777\">{% endif %}"), []);
    }

    #[test]
    fn what_mail_clients_leave_out_is_found_in_mail_templates_only() {
        let text = "<p style=\"display: grid\">x</p><video></video>";
        assert_eq!(found("mail/issue.html", text), [("client-support", 1, 11), ("client-support", 1, 31)]);
        assert_eq!(found("page.html", text), []);
    }

    #[test]
    fn contrast_is_as_the_guidelines_have_it() {
        let ratio = (luminance("#fff").unwrap() + 0.05) / (luminance("#767676").unwrap() + 0.05);
        assert!((ratio - 4.54).abs() < 0.01, "{ratio}");
        assert_eq!(luminance("red"), None);
        assert_eq!(luminance("#12é"), None);
    }
}
