//! What the ledger remembers of posts.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension, params};

use super::Ledger;
use super::error::{LedgerError, unreadable};
use super::words::{self, post_id};
use crate::domain::ids::{Generation, PostId};
use crate::domain::post::KnownPost;
use crate::domain::time::{Instant, to_millis};

/// Whether a post is to be mailed, as decided once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailDecision {
    /// Nobody has decided: the first publish asks.
    Undecided,
    /// It is news: mailed.
    News,
    /// It was there before the first publish: never mailed unless the author backfills.
    Old,
}

impl MailDecision {
    fn word(self) -> &'static str {
        match self {
            Self::Undecided => "undecided",
            Self::News => "news",
            Self::Old => "old",
        }
    }

    fn from_word(word: &str) -> Option<Self> {
        [Self::Undecided, Self::News, Self::Old].into_iter().find(|decision| decision.word() == word)
    }
}

impl Ledger {
    /// Every post the ledger has seen as a file, in the order of first sight.
    pub fn known_posts(&self) -> Result<Vec<KnownPost>, LedgerError> {
        self.read(|tx| {
            let sql = "SELECT id, source, digest, published FROM posts WHERE source <> '' ORDER BY number";
            let mut statement = tx.prepare_cached(sql)?;
            let rows = statement.query_map([], |row| {
                Ok(KnownPost {
                    id: post_id(row, "id")?,
                    source: row.get("source")?,
                    source_digest: row.get("digest")?,
                    published: row.get::<_, String>("published")? == "yes",
                })
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// Remembers posts by id: new ones are added, moved or edited ones updated, unchanged
    /// rows are not touched. `published` never goes from yes to no.
    pub fn record_posts(&self, posts: &[KnownPost]) -> Result<(), LedgerError> {
        const SQL: &str = "INSERT INTO posts (id, source, digest, published, mail) VALUES (?1, ?2, ?3, ?4, 'undecided')
            ON CONFLICT (id) DO UPDATE SET source = excluded.source, digest = excluded.digest,
                published = iif(published = 'yes', 'yes', excluded.published)
            WHERE source <> excluded.source OR digest <> excluded.digest
                OR (published = 'no' AND excluded.published = 'yes')";
        if posts.is_empty() {
            return Ok(());
        }
        self.write(|tx| {
            let mut statement = tx.prepare_cached(SQL)?;
            for post in posts {
                let published = if post.published { "yes" } else { "no" };
                statement.execute(params![post.id.as_str(), post.source, post.source_digest, published])?;
            }
            Ok(())
        })
    }

    /// Decides which posts are news and which are old, and remembers the first time that this
    /// was decided; all in one transaction. A later decision overrides (backfill).
    pub fn decide_news(&self, news: &[PostId], old: &[PostId], now: Instant) -> Result<(), LedgerError> {
        self.write(|tx| {
            let mut statement = tx.prepare_cached("UPDATE posts SET mail = ?2 WHERE id = ?1")?;
            for (posts, word) in [(news, "news"), (old, "old")] {
                for post in posts {
                    statement.execute([post.as_str(), word])?;
                }
            }
            tx.execute("UPDATE ledger SET first_published = ?1 WHERE first_published IS NULL", [to_millis(now)])?;
            Ok(())
        })
    }

    /// The posts nobody has decided about, in the order of first sight.
    pub fn undecided_posts(&self) -> Result<Vec<PostId>, LedgerError> {
        self.read(|tx| {
            let mut statement = tx.prepare_cached("SELECT id FROM posts WHERE mail = 'undecided' ORDER BY number")?;
            let rows = statement.query_map([], |row| post_id(row, "id"))?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// Every post's decision.
    pub fn mail_decisions(&self) -> Result<BTreeMap<PostId, MailDecision>, LedgerError> {
        self.read(|tx| {
            let mut statement = tx.prepare_cached("SELECT id, mail FROM posts")?;
            let rows = statement.query_map([], |row| {
                let word: String = row.get("mail")?;
                let decision = MailDecision::from_word(&word).ok_or_else(|| unreadable("mail decision", &word))?;
                Ok((post_id(row, "id")?, decision))
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// When the publication was first published; `None` before.
    pub fn first_published(&self) -> Result<Option<Instant>, LedgerError> {
        self.read(|tx| {
            Ok(tx.query_row("SELECT first_published FROM ledger", [], |row| {
                words::maybe_moment(row, "first_published")
            })?)
        })
    }

    /// The newest generation of a post that has a campaign, whatever became of it; `None`
    /// when there never was one.
    pub fn latest_generation(&self, post: &PostId) -> Result<Option<Generation>, LedgerError> {
        self.read(|tx| {
            let sql = "SELECT max(generation) FROM campaigns JOIN posts ON posts.number = campaigns.post
                WHERE posts.id = ?1 AND campaigns.state <> 'drafting'";
            let newest: Option<u32> = tx.prepare_cached(sql)?.query_row([post.as_str()], |row| row.get(0))?;
            Ok(newest.map(Generation))
        })
    }
}

/// The row number of a post, which other tables refer to; `None` if it was never seen.
pub(super) fn find_post(tx: &Connection, post: &PostId) -> rusqlite::Result<Option<i64>> {
    tx.prepare_cached("SELECT number FROM posts WHERE id = ?1")?.query_row([post.as_str()], |row| row.get(0)).optional()
}

/// The same, adding a row without a source for a post that was never recorded.
pub(super) fn intern_post(tx: &Connection, post: &PostId) -> rusqlite::Result<i64> {
    if let Some(number) = find_post(tx, post)? {
        return Ok(number);
    }
    let sql = "INSERT INTO posts (id, source, digest, published, mail) VALUES (?1, '', '', 'no', 'undecided')";
    tx.execute(sql, [post.as_str()])?;
    Ok(tx.last_insert_rowid())
}
