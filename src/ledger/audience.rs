//! Who would get a post, from the ledger's facts.

use std::collections::{BTreeMap, HashSet};

use rusqlite::params;

use super::Ledger;
use super::error::LedgerError;
use super::posts::find_post;
use super::subscribers::{COLUMNS, subscriber};
use crate::domain::audience::{Audience, Covered, Exclusion, Suppressed, place, place_in_digest};
use crate::domain::digest::Period;
use crate::domain::ids::{Generation, PostId, SubscriberId};
use crate::domain::subscriber::{Cadence, Subscriber};

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

    /// Places every subscriber of a digest by `domain::audience::place_in_digest`: for each set of
    /// posts that somebody gets by it (by their places in `posts`, which has each one's tags), who
    /// they are. Who joined at `until` or later is not asked: the period was over. The exclusions
    /// stand in the audience of the empty set. Empty when nobody wants that cadence.
    pub fn resolve_digest(
        &self,
        period: &Period,
        posts: &[(&PostId, &[String])],
    ) -> Result<BTreeMap<Vec<usize>, Audience>, LedgerError> {
        // Most lists have nobody for most digests, and placing reads the whole list.
        if !self.is_wanted(period.cadence)? {
            return Ok(BTreeMap::new());
        }
        let sent = posts.iter().map(|(post, _)| self.sent_to(post, period.cadence)).collect::<Result<Vec<_>, _>>()?;
        let tags: Vec<&[String]> = posts.iter().map(|(_, tags)| *tags).collect();
        let (until, mut groups) = (period.ends(), BTreeMap::<Vec<usize>, Audience>::new());
        self.each_placement(&period.id(), Generation::FIRST, &mut |person, suppressed, covered| {
            let is_sent = |place: usize| if sent[place].contains(&person.id) { Covered::Yes } else { covered };
            let is_new = person.since >= until;
            match place_in_digest(&person, period.cadence, &tags, suppressed, is_sent) {
                Ok(places) if !is_new => groups.entry(places).or_default().members.push(person.id),
                Ok(_) => *groups.entry(Vec::new()).or_default().excluded.entry(Exclusion::Cadence).or_default() += 1,
                Err(why) => *groups.entry(Vec::new()).or_default().excluded.entry(why).or_default() += 1,
            }
        })?;
        Ok(groups)
    }

    fn is_wanted(&self, cadence: Cadence) -> Result<bool, LedgerError> {
        let sql = "SELECT 1 FROM subscribers WHERE cadence = ?1 AND removed = 'no'";
        self.read(|tx| Ok(tx.prepare_cached(sql)?.exists([cadence.word()])?))
    }

    /// Whom of a cadence a post was sent to, or is to be.
    fn sent_to(&self, post: &PostId, cadence: Cadence) -> Result<HashSet<SubscriberId>, LedgerError> {
        self.read(|tx| {
            let sql = "SELECT v.subscriber FROM coverage v JOIN subscribers s ON s.id = v.subscriber
                JOIN deliveries d ON d.id = v.delivery JOIN campaigns c ON c.id = d.campaign
                WHERE v.post = ?1 AND v.generation = ?2 AND s.cadence = ?3 AND c.state <> 'drafting'";
            let post = find_post(tx, post)?.unwrap_or(0);
            let mut statement = tx.prepare_cached(sql)?;
            let given = params![post, Generation::FIRST.0, cadence.word()];
            let rows = statement.query_map(given, |row| Ok(SubscriberId(row.get(0)?)))?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
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
