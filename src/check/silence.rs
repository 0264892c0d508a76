//! What the author has heard and decided to leave: in `fieldpost.toml`, or beside the text.
//!
//! A comment `<!-- fieldpost ignore CODE: reason -->` is about the paragraph it stands in or
//! before, `<!-- fieldpost ignore-file CODE: reason -->` about its whole file. Only warnings can
//! be silenced: an error keeps something from readers.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use crate::config::Silence;
use crate::diagnostic::{Diagnostic, Place, Severity};

/// No post is larger, in bytes.
const MAX_SIZE: u64 = 10 << 20;

const COMMENT: &str = "<!-- fieldpost ignore";

/// Takes out what is silenced, and adds what is wrong with the comments that silence. The files
/// are those under `root` that `diagnostics` name.
pub fn silence(diagnostics: Vec<Diagnostic>, root: &Path, silences: &[Silence]) -> Vec<Diagnostic> {
    let mut comments: HashMap<PathBuf, Vec<Comment>> = HashMap::new();
    let mut out = Vec::new();
    for diagnostic in diagnostics {
        let file = diagnostic.place.file.clone();
        if !comments.contains_key(&file) {
            let (found, wrong) = read(&file, root);
            out.extend(wrong);
            comments.insert(file.clone(), found);
        }
        let is_heard = silences.iter().any(|silence| silence.covers(diagnostic.code, &file))
            || comments[&file].iter().any(|comment| comment.covers(&diagnostic));
        if diagnostic.severity == Severity::Error || !is_heard {
            out.push(diagnostic);
        }
    }
    out
}

struct Comment {
    code: String,
    /// The lines it is about, from 1; the last one included.
    lines: std::ops::RangeInclusive<usize>,
}

impl Comment {
    fn covers(&self, diagnostic: &Diagnostic) -> bool {
        self.code == diagnostic.code && self.lines.contains(&diagnostic.place.line)
    }
}

fn read(file: &Path, root: &Path) -> (Vec<Comment>, Vec<Diagnostic>) {
    let is_post = file.extension().is_some_and(|extension| extension == "md" || extension == "markdown");
    let path = root.join(file);
    // A pipe would be waited for, and a link may lead out of the publication.
    let is_readable = is_post && path.symlink_metadata().is_ok_and(|meta| meta.is_file() && meta.len() <= MAX_SIZE);
    let Some(text) = is_readable.then(|| std::fs::read_to_string(path).ok()).flatten() else {
        return (Vec::new(), Vec::new());
    };
    let mut comments = Vec::new();
    let mut wrong = Vec::new();
    for (at, _) in text.match_indices(COMMENT) {
        let rest = &text[at + COMMENT.len()..];
        let inner = rest.split("-->").next().unwrap_or_default();
        let (is_file, inner) = inner.strip_prefix("-file").map_or((false, inner), |inner| (true, inner));
        let (code, reason) = inner.split_once(':').unwrap_or((inner, ""));
        if code.trim().is_empty() || reason.trim().is_empty() {
            let place = Place::span(file, &text, at..at + COMMENT.len());
            let message = "a comment that silences needs a code and a reason";
            let help = "write `<!-- fieldpost ignore alt-missing: decoration only -->`";
            wrong.push(Diagnostic::warning("silence-reason", place, message).help(help));
            continue;
        }
        let lines = if is_file { 0..=usize::MAX } else { paragraph(&text, at) };
        comments.push(Comment { code: code.trim().to_owned(), lines });
    }
    (comments, wrong)
}

/// The lines from a comment to the end of the paragraph it stands in, or of the next one when
/// it stands alone.
fn paragraph(text: &str, at: usize) -> std::ops::RangeInclusive<usize> {
    let first = text[..at].matches('\n').count() + 1;
    let mut lines = text.lines().enumerate().skip(first - 1);
    let own = lines.next().map_or("", |(_, line)| line.trim());
    let mut has_words = !(own.starts_with("<!--") && own.ends_with("-->"));
    let mut last = first;
    for (number, line) in lines {
        if line.trim().is_empty() && has_words {
            break;
        }
        has_words |= !line.trim().is_empty();
        last = number + 1;
    }
    first..=last
}

#[cfg(test)]
mod tests {
    use super::*;

    fn left(text: &str, line: usize) -> Vec<&'static str> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("a.md"), text).unwrap();
        let place = Place { line, column: 1, ..Place::file("a.md") };
        let found = vec![
            Diagnostic::warning("alt-missing", place.clone(), "x"),
            Diagnostic::error("missing-image", place, "y"),
        ];
        silence(found, folder.path(), &[]).iter().map(|one| one.code).collect()
    }

    #[test]
    fn a_comment_silences_its_paragraph_and_no_error() {
        let text = "one\n\n<!-- fieldpost ignore alt-missing: decoration -->\n\n![](x.png)\ntwo\n\n![](y.png)\n";
        for (line, expected) in [(1, 2), (5, 1), (6, 1), (8, 2)] {
            assert_eq!(left(text, line).len(), expected, "line {line}");
        }
        let inline = "![](x.png) <!-- fieldpost ignore alt-missing: decoration -->\n\n![](y.png)";
        assert_eq!(left(inline, 1), ["missing-image"]);
        assert_eq!(left(inline, 3).len(), 2);
        assert_eq!(left("<!-- fieldpost ignore missing-image: x -->\n\na", 3).len(), 2, "an error stays");
    }

    #[test]
    fn a_comment_may_silence_its_file_and_must_say_why() {
        assert_eq!(left("<!-- fieldpost ignore-file alt-missing: scans -->\n\na\n\nb", 5), ["missing-image"]);
        assert_eq!(
            left("<!-- fieldpost ignore alt-missing -->\n\na", 3),
            ["silence-reason", "alt-missing", "missing-image"]
        );
    }
}
