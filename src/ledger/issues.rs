//! Frozen issues: what is mailed is what stands here, never what the folder says later.

use rusqlite::{OptionalExtension, params};

use super::Ledger;
use super::error::LedgerError;
use super::posts::intern_post;
use super::words::{issue_id, post_id};
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
        self.write(|tx| {
            let post = intern_post(tx, &issue.post)?;
            let sql = "INSERT INTO issues (id, post, subject, web_url, commit_id, frozen)
                VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (id) DO NOTHING";
            tx.execute(
                sql,
                params![issue.id.as_str(), post, issue.subject, issue.web_url, issue.commit, issue.frozen],
            )?;
            Ok(())
        })
    }

    /// The frozen issue of that id.
    pub fn issue(&self, id: &IssueId) -> Result<Option<IssueRow>, LedgerError> {
        self.read(|tx| {
            let sql = "SELECT issues.id, posts.id AS post, subject, web_url, commit_id, frozen
                FROM issues JOIN posts ON posts.number = issues.post WHERE issues.id = ?1";
            let row = tx.prepare_cached(sql)?.query_row([id.as_str()], |row| {
                Ok(IssueRow {
                    id: issue_id(row, "id")?,
                    post: post_id(row, "post")?,
                    subject: row.get("subject")?,
                    frozen: row.get("frozen")?,
                    web_url: row.get("web_url")?,
                    commit: row.get("commit_id")?,
                })
            });
            Ok(row.optional()?)
        })
    }
}
