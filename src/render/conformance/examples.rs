//! The examples of a specification's `spec.txt`, as `CommonMark` and GFM have them.

use std::path::PathBuf;

/// One example.
pub(super) struct Example {
    /// Its number in the specification, from 1.
    pub number: usize,
    /// The extension it belongs to, if it is marked with one.
    pub extension: String,
    pub markdown: String,
    pub html: String,
}

/// The examples of a specification; `None`, said loudly, where `FIELDPOST_SPECS` does not say
/// where it is. In continuous integration that is a failure.
pub(super) fn of(name: &str) -> Option<Vec<Example>> {
    let Some(folder) = std::env::var_os("FIELDPOST_SPECS") else {
        assert!(std::env::var_os("CI").is_none(), "nothing may be skipped here: FIELDPOST_SPECS is not set");
        eprintln!("SKIPPED: FIELDPOST_SPECS is not set, so the specification `{name}` cannot be read");
        return None;
    };
    let path = PathBuf::from(folder).join(name).join("spec.txt");
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    Some(read(&text))
}

fn read(text: &str) -> Vec<Example> {
    let fence = "`".repeat(32);
    let mut examples = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let Some(info) = line.strip_prefix(&fence).and_then(|info| info.trim().strip_prefix("example")) else {
            continue;
        };
        let body: Vec<&str> = lines.by_ref().take_while(|line| *line != fence).collect();
        let middle = body.iter().position(|line| *line == ".").expect("an example has two parts");
        let part = |lines: &[&str]| lines.iter().map(|line| format!("{line}\n").replace('→', "\t")).collect::<String>();
        examples.push(Example {
            number: examples.len() + 1,
            extension: info.trim().to_owned(),
            markdown: part(&body[..middle]),
            html: part(&body[middle + 1..]),
        });
    }
    examples
}
