//! A publication in a temporary folder, and the built binary working on it.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;

/// A folder that is removed with the value, and the binary's way of working in it.
pub struct Site {
    folder: tempfile::TempDir,
}

impl Site {
    /// An empty folder.
    pub fn empty() -> Self {
        Self { folder: tempfile::tempdir().expect("a temporary folder") }
    }

    /// A publication with this configuration after title and base URL.
    pub fn with_config(rest: &str) -> Self {
        let site = Self::empty();
        let head = "[publication]\ntitle = \"Test Notes\"\nbase_url = \"https://notes.example.org\"\n";
        site.write("fieldpost.toml", format!("{head}{rest}"));
        site
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// A file of the folder.
    pub fn file(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    /// Writes a file, making its folders.
    pub fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        let path = self.file(name);
        std::fs::create_dir_all(path.parent().expect("a file has a folder")).expect("folders can be made");
        std::fs::write(path, text).expect("the file can be written");
    }

    /// Reads a file as text.
    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.file(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// Writes a list of `n` subscribers, `reader-0@example.org` and so on.
    pub fn write_subscribers(&self, n: usize) {
        let one = |i| format!("[[subscriber]]\nemail = \"reader-{i}@example.org\"\nname = \"Reader {i}\"\n");
        self.write("subscribers.toml", (0..n).map(one).collect::<Vec<_>>().join("\n"));
    }

    /// The binary, about to work on this folder in a home of its own.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_fieldpost"));
        let home = self.path().join(".home");
        std::fs::create_dir_all(&home).expect("folders can be made");
        command
            .arg("-C")
            .arg(self.path())
            .args(arguments)
            .env("HOME", &home)
            .env_remove("XDG_STATE_HOME")
            .env_remove("FIELDPOST_NOW")
            .stdin(Stdio::null());
        command
    }

    /// Runs the binary to its end.
    pub fn run(&self, arguments: &[&str]) -> Ran {
        Ran(self.command(arguments).output().expect("the binary runs"))
    }

    /// Runs the binary to its end with these in its environment.
    pub fn run_with(&self, environment: &[(&str, &str)], arguments: &[&str]) -> Ran {
        let output = self.command(arguments).envs(environment.iter().copied()).output();
        Ran(output.expect("the binary runs"))
    }

    /// Starts the binary and leaves it running, its output discarded.
    pub fn start(&self, arguments: &[&str]) -> Child {
        self.command(arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the binary starts")
    }

    /// `report --json`.
    pub fn report(&self) -> Value {
        self.run(&["report", "--json"]).expect_code(0).json()
    }

    /// The totals of the only campaign there is.
    pub fn totals(&self) -> Value {
        let report = self.report();
        let campaigns = report["campaigns"].as_array().expect("a report has campaigns");
        assert_eq!(campaigns.len(), 1, "one campaign: {report:#}");
        campaigns[0]["totals"].clone()
    }
}

/// What a finished run printed and returned.
pub struct Ran(Output);

impl Ran {
    /// What a process that was started elsewhere printed and returned.
    pub fn of(output: Output) -> Self {
        Self(output)
    }

    /// Standard output as text.
    pub fn stdout(&self) -> String {
        String::from_utf8_lossy(&self.0.stdout).into_owned()
    }

    /// Standard error as text.
    pub fn stderr(&self) -> String {
        String::from_utf8_lossy(&self.0.stderr).into_owned()
    }

    /// The exit code; -1 when a signal ended it.
    pub fn code(&self) -> i32 {
        self.0.status.code().unwrap_or(-1)
    }

    /// Fails the test, showing everything, unless the exit code is this one.
    #[track_caller]
    pub fn expect_code(self, code: i32) -> Self {
        assert_eq!(self.code(), code, "stdout:\n{}\nstderr:\n{}", self.stdout(), self.stderr());
        self
    }

    /// Standard output as JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.0.stdout).unwrap_or_else(|error| panic!("{error}: {}", self.stdout()))
    }
}
