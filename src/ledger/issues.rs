//! Frozen issues: what is mailed is what stands here, never what the folder says later.

use super::Ledger;
use super::error::LedgerError;
use crate::domain::ids::{IssueId, PostId};

/// One frozen issue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssueRow {
    /// The digest of what was frozen.
    pub id: IssueId,
    /// The post it was made of.
    pub post: PostId,
    /// The subject line.
    pub subject: String,
    /// What `message` froze, in its own encoding.
    pub frozen: Vec<u8>,
    /// The absolute URL of the post's page.
    pub web_url: String,
    /// The git commit the post had.
    pub commit: Option<String>,
}

impl Ledger {
    /// Freezes an issue. The id is the digest of the content, so that a second call with the
    /// same id changes nothing.
    pub fn freeze_issue(&self, issue: &IssueRow) -> Result<(), LedgerError> {
        let _ = issue;
        unimplemented!()
    }

    /// The frozen issue of that id.
    pub fn issue(&self, id: &IssueId) -> Result<Option<IssueRow>, LedgerError> {
        let _ = id;
        unimplemented!()
    }
}
