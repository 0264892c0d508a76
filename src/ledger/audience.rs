//! Who would get a post, from the ledger's facts.

use rusqlite::params;

use super::Ledger;
use super::error::LedgerError;
use super::posts::find_post;
use super::subscribers::{COLUMNS, subscriber};
use crate::domain::audience::{Audience, Covered, Suppressed, place};
use crate::domain::ids::{Generation, PostId};
use crate::domain::subscriber::Subscriber;

impl Ledger {
    /// Places every subscriber by `domain::audience::place`, with suppression and coverage
    /// read beside each row. What a draft covers does not count: a dead draft would make its
    /// people look as if they had been sent the post. Streams: memory grows with the members only.
    pub fn resolve_audience(
        &self,
        tags: &[String],
        post: &PostId,
        generation: Generation,
    ) -> Result<Audience, LedgerError> {
        let mut audience = Audience::default();
        self.each_placement(post, generation, &mut |person, suppressed, covered| match place(
            &person, tags, suppressed, covered,
        ) {
            Ok(()) => audience.members.push(person.id),
            Err(why) => *audience.excluded.entry(why).or_default() += 1,
        })?;
        Ok(audience)
    }

    /// Calls `each` for everybody who was not removed, in the order of joining, with the two
    /// facts that place them: suppression, and coverage of this post. `each` must not call
    /// the ledger.
    pub fn each_placement(
        &self,
        post: &PostId,
        generation: Generation,
        each: &mut dyn FnMut(Subscriber, Suppressed, Covered),
    ) -> Result<(), LedgerError> {
        let sql = format!(
            "SELECT {COLUMNS},
                EXISTS (SELECT 1 FROM suppressions WHERE suppressions.hash = subscribers.hash) AS suppressed,
                EXISTS (SELECT 1 FROM coverage v JOIN deliveries d ON d.id = v.delivery
                    JOIN campaigns c ON c.id = d.campaign WHERE v.post = ?1 AND v.generation = ?2
                    AND v.subscriber = subscribers.id AND c.state <> 'drafting') AS covered
            FROM subscribers WHERE removed = 'no' ORDER BY subscribers.id"
        );
        self.read(|tx| {
            // A post that was never recorded covers nobody: no row has number 0.
            let post = find_post(tx, post)?.unwrap_or(0);
            let mut statement = tx.prepare_cached(&sql)?;
            let mut rows = statement.query(params![post, generation.0])?;
            while let Some(row) = rows.next()? {
                let person = subscriber(row)?;
                let suppressed = if row.get("suppressed")? { Suppressed::Yes } else { Suppressed::No };
                let covered = if row.get("covered")? { Covered::Yes } else { Covered::No };
                each(person, suppressed, covered);
            }
            Ok(())
        })
    }
}
