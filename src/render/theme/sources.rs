//! Where templates come from.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use crate::diagnostic::{Diagnostic, Place};

/// The templates in the binary.
const BUILT_IN: [(&str, &str); 19] = [
    ("base.html", include_str!("../../../templates/base.html")),
    ("page.html", include_str!("../../../templates/page.html")),
    ("posts.html", include_str!("../../../templates/posts.html")),
    ("index.html", include_str!("../../../templates/index.html")),
    ("author.html", include_str!("../../../templates/author.html")),
    ("subscribe.html", include_str!("../../../templates/subscribe.html")),
    ("topic.html", include_str!("../../../templates/topic.html")),
    ("topics.html", include_str!("../../../templates/topics.html")),
    ("404.html", include_str!("../../../templates/404.html")),
    ("style.css", include_str!("../../../templates/style.css")),
    ("math.css", include_str!("../../../templates/math.css")),
    ("mail/subject.txt", include_str!("../../../templates/mail/subject.txt")),
    ("mail/issue.html", include_str!("../../../templates/mail/issue.html")),
    ("mail/issue.css", include_str!("../../../templates/mail/issue.css")),
    ("mail/math.css", include_str!("../../../templates/mail/math.css")),
    ("mail/digest-subject.txt", include_str!("../../../templates/mail/digest-subject.txt")),
    ("mail/digest.html", include_str!("../../../templates/mail/digest.html")),
    ("mail/digest.txt", include_str!("../../../templates/mail/digest.txt")),
    ("mail/issue.txt", include_str!("../../../templates/mail/issue.txt")),
];

/// No template is larger; a larger file is something else that strayed into the folder.
const LARGEST: u64 = 1024 * 1024;

/// How many folders deep an overlay is read.
const DEEPEST: usize = 6;

/// All templates by name, each with the file it came from.
pub(super) struct Sources {
    by_name: BTreeMap<String, Source>,
}

struct Source {
    file: PathBuf,
    text: String,
}

impl Sources {
    /// The built-in templates, overlaid by the files of a folder. Files of other kinds than
    /// templates are left alone, so a README may lie beside them.
    pub fn load(overlay: Option<&Path>) -> Result<Self, Vec<Diagnostic>> {
        let mut by_name = BTreeMap::new();
        for (name, text) in BUILT_IN {
            let file = Path::new("built-in templates").join(name);
            by_name.insert(name.to_owned(), Source { file, text: text.to_owned() });
        }
        let mut problems = Vec::new();
        if let Some(root) = overlay.filter(|root| root.is_dir()) {
            overlay_folder(root, "", DEEPEST, &mut by_name, &mut problems);
        }
        if problems.is_empty() { Ok(Self { by_name }) } else { Err(problems) }
    }

    /// The names and texts, in the order of the names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.by_name.iter().map(|(name, source)| (name.as_str(), source.text.as_str()))
    }

    /// The text of a template; empty for a name nobody has.
    pub fn text(&self, name: &str) -> &str {
        self.by_name.get(name).map_or("", |source| source.text.as_str())
    }

    /// The file a template came from.
    pub fn file(&self, name: &str) -> PathBuf {
        self.by_name.get(name).map_or_else(|| PathBuf::from(name), |source| source.file.clone())
    }
}

fn overlay_folder(
    folder: &Path,
    prefix: &str,
    depth: usize,
    by_name: &mut BTreeMap<String, Source>,
    problems: &mut Vec<Diagnostic>,
) {
    let entries = match std::fs::read_dir(folder).and_then(Iterator::collect::<io::Result<Vec<_>>>) {
        Ok(entries) => entries,
        Err(error) => return problems.push(unreadable(folder, &error)),
    };
    for entry in entries {
        let path = entry.path();
        let Some(file_name) = entry.file_name().to_str().filter(|name| !name.starts_with('.')).map(str::to_owned)
        else {
            continue;
        };
        let name = format!("{prefix}{file_name}");
        if path.is_dir() {
            if depth > 0 {
                overlay_folder(&path, &format!("{name}/"), depth - 1, by_name, problems);
            }
        } else if is_template(&path) {
            match read(&path) {
                Ok(text) => {
                    by_name.insert(name, Source { file: path, text });
                }
                Err(problem) => problems.push(problem),
            }
        }
    }
}

fn is_template(path: &Path) -> bool {
    path.extension()
        .is_some_and(|extension| ["html", "css", "txt", "svg", "xml"].iter().any(|known| extension == *known))
}

fn read(path: &Path) -> Result<String, Diagnostic> {
    // Asked first: a pipe would block the read for ever.
    let metadata = std::fs::metadata(path).map_err(|error| unreadable(path, &error))?;
    if !metadata.is_file() || metadata.len() > LARGEST {
        let place = Place::file(path);
        return Err(Diagnostic::error("template-kind", place, "a template is a regular file of at most 1 MiB")
            .help("move it out of the templates folder"));
    }
    let bytes = std::fs::read(path).map_err(|error| unreadable(path, &error))?;
    String::from_utf8(bytes).map_err(|error| {
        let valid = error.utf8_error().valid_up_to();
        let text = String::from_utf8_lossy(error.as_bytes()).into_owned();
        Diagnostic::error("template-encoding", Place::span(path, &text, valid..valid + 1), "the template is not UTF-8")
            .help("save it as UTF-8")
    })
}

fn unreadable(path: &Path, error: &io::Error) -> Diagnostic {
    Diagnostic::error("template-unreadable", Place::file(path), format!("cannot be read: {error}"))
        .help("check its permissions")
}
