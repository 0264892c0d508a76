//! A received mail, read by Python's own parser: not by anything that wrote it.

use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::Value;

const READER: &str = r"
import email, email.policy, json, sys
message = email.message_from_bytes(sys.stdin.buffer.read(), policy=email.policy.strict)
parts = {}
for part in message.walk():
    if part.get_content_maintype() == 'text':
        parts[part.get_content_type()] = part.get_content()
headers = [[name, str(value)] for name, value in message.items()]
print(json.dumps({'headers': headers, 'parts': parts}))
";

/// One mail: its headers decoded, its parts decoded.
pub struct Mail(Value);

impl Mail {
    /// Reads a message strictly: a defect is a failure.
    pub fn parse(bytes: &[u8]) -> Self {
        let mut child = Command::new("python3")
            .args(["-c", READER])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("python3 runs");
        child.stdin.take().expect("a pipe").write_all(bytes).expect("python3 reads");
        let output = child.wait_with_output().expect("python3 ends");
        assert!(output.status.success(), "no mail: {}", String::from_utf8_lossy(bytes));
        Self(serde_json::from_slice(&output.stdout).expect("python3 prints JSON"))
    }

    /// The first header of that name.
    pub fn header(&self, name: &str) -> Option<String> {
        let headers = self.0["headers"].as_array().expect("headers");
        let found = headers.iter().find(|pair| pair[0].as_str().is_some_and(|key| key.eq_ignore_ascii_case(name)))?;
        found[1].as_str().map(str::to_owned)
    }

    /// The subject.
    pub fn subject(&self) -> String {
        self.header("Subject").expect("a subject")
    }

    /// The part of that type.
    pub fn part(&self, kind: &str) -> String {
        self.0["parts"][kind].as_str().unwrap_or_else(|| panic!("there is no {kind} part")).to_owned()
    }
}
