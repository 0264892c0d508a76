//! The only printer: data on standard output, everything else on standard error.
//!
//! A reader that has gone away (`fieldpost report | head`) is no error: what cannot be
//! printed is dropped.

use std::io::{BufRead, IsTerminal, Write};

use crate::diagnostic::{Diagnostic, Severity};

/// How data is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// For people.
    Text,
    /// For programs.
    Json,
}

/// Prints data for people or programs that read standard output.
pub fn data(text: &str) {
    bytes(text.as_bytes());
    if !text.ends_with('\n') {
        bytes(b"\n");
    }
}

/// Prints bytes as they are on standard output.
pub fn bytes(bytes: &[u8]) {
    drop(std::io::stdout().lock().write_all(bytes));
}

/// Standard output for data that comes in many pieces, buffered. Written through to the end even
/// when the reader has gone away.
pub struct Stream(std::io::BufWriter<std::io::StdoutLock<'static>>);

/// Begins a stream. Until it is dropped, nothing else is printed on standard output.
pub fn stream() -> Stream {
    Stream(std::io::BufWriter::with_capacity(1 << 16, std::io::stdout().lock()))
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        drop(self.0.write_all(bytes));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        drop(self.0.flush());
        Ok(())
    }
}

/// Prints a JSON value on standard output, indented.
pub fn json(value: &serde_json::Value) {
    data(&serde_json::to_string_pretty(value).expect("a JSON value has no keys that are not text"));
}

/// Says something to the person at the terminal, on standard error.
pub fn say(text: &str) {
    drop(writeln!(std::io::stderr().lock(), "{text}"));
}

/// Says what went wrong and what to do, on standard error.
pub fn complain(message: &str, help: Option<&str>) {
    say(&format!("error: {message}"));
    if let Some(help) = help {
        say(&format!("  help: {help}"));
    }
}

/// Shows diagnostics, errors last so that they are what remains on the screen.
pub fn diagnostics(diagnostics: &[Diagnostic]) {
    let mut sorted: Vec<&Diagnostic> = diagnostics.iter().collect();
    sorted.sort_by_key(|diagnostic| diagnostic.severity);
    for diagnostic in &sorted {
        say(&diagnostic.to_string());
    }
    let errors = sorted.iter().filter(|diagnostic| diagnostic.severity == Severity::Error).count();
    if !sorted.is_empty() {
        say(&format!("{}, {}", count(errors, "error"), count(sorted.len() - errors, "warning")));
    }
}

/// Asks a question on the terminal and returns the answer without white space around it;
/// empty at the end of the input.
pub fn ask(question: &str) -> String {
    let mut stderr = std::io::stderr().lock();
    drop(write!(stderr, "{question} "));
    drop(stderr.flush());
    let mut answer = String::new();
    match std::io::stdin().lock().read_line(&mut answer) {
        Ok(_) => answer.trim().to_owned(),
        Err(_) => String::new(),
    }
}

/// Asks a yes-or-no question on the terminal; anything but `y` or `yes` is no.
pub fn confirm(question: &str) -> bool {
    matches!(ask(&format!("{question} [y/N]")).to_lowercase().as_str(), "y" | "yes")
}

/// Whether a person is there to be asked and shown a moving bar.
pub fn is_interactive() -> bool {
    std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}

/// A number and its noun, in the plural when it has to be: `1 post`, `1,204 posts`.
pub fn count(n: usize, noun: &str) -> String {
    let plural = if n == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", thousands(n as u64))
}

/// A number with its thousands divided by commas.
pub fn thousands(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!(thousands(0), "0");
        assert_eq!(thousands(999), "999");
        assert_eq!(thousands(1_204), "1,204");
        assert_eq!(thousands(12_345_678), "12,345,678");
        assert_eq!(count(1, "post"), "1 post");
        assert_eq!(count(0, "post"), "0 posts");
    }
}
