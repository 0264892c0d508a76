//! Judges that are not ours: scripts that call the tools other people use.

use std::ffi::OsStr;
use std::path::Path;
use std::process::Command;

use super::corpora::skip;

/// Runs one of the repository's scripts and returns what it printed; a verdict against us
/// fails the test. `None`, said loudly, where a tool is missing (exit code 3), which fails in
/// continuous integration: nothing may be skipped there.
#[track_caller]
pub fn judge(script: &str, arguments: &[impl AsRef<OsStr>]) -> Option<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(script);
    let done = Command::new(path).env("PYTHONIOENCODING", "utf-8").args(arguments).output();
    let output = done.unwrap_or_else(|error| panic!("{script} cannot be run: {error}"));
    let told = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    match output.status.code() {
        Some(0) => Some(told),
        // 127: `env` has not found the script's interpreter.
        Some(3 | 127) => {
            skip(&format!("{script}: {told}"));
            None
        }
        code => panic!("{script} ended with {code:?}\n{told}"),
    }
}
