//! The system calls of the binary, watched and tampered with. A fault that no relay and no
//! folder can give (a disk that fails, a death at one certain call) comes from here.
//!
//! `strace` counts the calls of each thread by itself: "the third" is the third of whichever
//! thread is first to make three.

use std::path::Path;
use std::process::Command;

use super::site::{Ran, Site};

/// What is watched, and what is done about it.
pub struct Strace {
    options: Vec<String>,
    log: tempfile::NamedTempFile,
}

impl Strace {
    /// Watches these calls, with commas between their names.
    pub fn of(calls: &str) -> Self {
        let log = tempfile::NamedTempFile::new().expect("a temporary file");
        Self { options: vec!["-e".to_owned(), format!("trace={calls}")], log }
    }

    /// Looks only at calls that concern this file.
    pub fn on(mut self, path: &Path) -> Self {
        self.options.extend(["-P".to_owned(), path.display().to_string()]);
        self
    }

    /// Does that to calls: `fsync:error=EIO:when=3`.
    pub fn inject(mut self, what: &str) -> Self {
        self.options.extend(["-e".to_owned(), format!("inject={what}")]);
        self
    }

    /// The binary, about to run under these eyes.
    pub fn command(&self, site: &Site, arguments: &[&str]) -> Command {
        let inner = site.command(arguments);
        let mut command = Command::new("strace");
        command.args(["-f", "-qq", "-y", "-s", "65536", "-o"]).arg(self.log.path()).args(&self.options).arg("--");
        command.arg(inner.get_program()).args(inner.get_args());
        for (name, value) in inner.get_envs() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        command.stdin(std::process::Stdio::null());
        command
    }

    /// Runs the binary to its end.
    pub fn run(&self, site: &Site, arguments: &[&str]) -> Ran {
        Ran::of(self.command(site, arguments).output().expect("strace is installed (scripts/install-test-tools)"))
    }

    /// What was seen, a line for each call, in order.
    pub fn lines(&self) -> Vec<String> {
        let log = std::fs::read(self.log.path()).expect("strace has written its log");
        String::from_utf8_lossy(&log).lines().map(str::to_owned).collect()
    }
}
