//! Which digests are due, of which posts and for whom.

use super::news::{Choice, Memory, News};
use super::open::{self, OpenError};
use super::prepare::Prepared;
use crate::diagnostic::{Diagnostic, Place};
use crate::domain::audience::Audience;
use crate::domain::digest::Period;
use crate::domain::ids::PostId;
use crate::domain::post::{Channel, Post};
use crate::domain::subscriber::Cadence;
use crate::domain::time::Instant;
use crate::ledger::{IssueRow, Ledger, LedgerError};
use crate::render;

/// One digest for those who get the same posts by it, rendered and frozen.
pub(super) struct DueDigest {
    /// Its name in the ledger.
    pub name: PostId,
    /// What it carries.
    pub carried: Vec<PostId>,
    /// Who gets it, and the count of those who do not.
    pub audience: Audience,
    /// What is mailed.
    pub issue: IssueRow,
    /// What the author should know of it.
    pub warning: Option<Diagnostic>,
}

/// Everything that is due now, each digest rendered. Who follows other topics than most, or was
/// sent some of the posts already, gets a digest of the others: nobody gets a post twice.
///
/// A period's digest is due from its end until the next one's, and goes to whom it was not sent.
/// Its posts are news of the period; once there was a digest before, also those of the one before
/// it that came too late for that. Posts named on the command line are all that is mailed then.
pub(super) fn due(
    prepared: &Prepared,
    ledger: &Ledger,
    memory: &Memory,
    choice: &Choice,
    sorted: &News,
    now: Instant,
) -> Result<Vec<DueDigest>, OpenError> {
    let zone = prepared.config.publication.time_zone;
    let mut periods: Vec<Period> = [Cadence::Daily, Cadence::Weekly, Cadence::Monthly]
        .into_iter()
        .filter_map(|cadence| Period::last(cadence, now, zone))
        .collect();
    match choice {
        Choice::Named(_) => return Ok(Vec::new()),
        Choice::Digest(day) => periods.push(Period::since(*day, now, zone)),
        Choice::Unsaid | Choice::Since(_) | Choice::Backfill(_) => {}
    }
    let (mut digests, mut wrong) = (Vec::new(), Vec::new());
    for period in periods {
        let posts = posts_of(prepared, ledger, memory, sorted, &period)?;
        for (posts, audience) in grouped(ledger, &period, &posts)? {
            match frozen(prepared, &period, &posts) {
                Ok((issue, warning)) => {
                    let carried = posts.iter().map(|post| post.id.clone()).collect();
                    digests.push(DueDigest { name: period.id(), carried, audience, issue, warning });
                }
                Err(diagnostic) => wrong.push(diagnostic),
            }
        }
    }
    if wrong.is_empty() { Ok(digests) } else { Err(OpenError::Unrenderable(wrong)) }
}

/// The posts that a period's digest may carry, oldest first.
fn posts_of<'a>(
    prepared: &'a Prepared,
    ledger: &Ledger,
    memory: &Memory,
    sorted: &News,
    period: &Period,
) -> Result<Vec<&'a Post>, LedgerError> {
    let kind = period.id().as_str().rsplit_once(':').map_or_else(String::new, |(kind, _)| format!("{kind}:"));
    let had_one_before = ledger.campaigns()?.iter().any(|campaign| campaign.post.as_str().starts_with(&kind));
    let from = match period.cadence {
        Cadence::Daily | Cadence::Weekly | Cadence::Monthly if had_one_before => {
            period.starts() - (period.ends() - period.starts())
        }
        Cadence::Every | Cadence::Daily | Cadence::Weekly | Cadence::Monthly => period.starts(),
    };
    let is_news = |post: &Post| {
        period.cadence == Cadence::Every
            || memory.news.contains(&post.id)
            || sorted.news.iter().any(|news| news.id == post.id)
    };
    let is_in = |post: &&Post| post.date >= from && post.date < period.ends() && is_news(post);
    let mailable = |post: &&Post| post.is_public() && post.email == Channel::On;
    let mut posts: Vec<&Post> = prepared.sound_posts().filter(mailable).filter(is_in).collect();
    posts.sort_by_key(|post| (post.date, post.id.clone()));
    Ok(posts)
}

/// Who gets which of the posts, the largest audience first; with it stands who gets none.
fn grouped<'a>(
    ledger: &Ledger,
    period: &Period,
    posts: &[&'a Post],
) -> Result<Vec<(Vec<&'a Post>, Audience)>, LedgerError> {
    if posts.is_empty() {
        return Ok(Vec::new());
    }
    let tagged: Vec<(&PostId, &[String])> = posts.iter().map(|post| (&post.id, post.tags.as_slice())).collect();
    let mut groups = ledger.resolve_digest(period, &tagged)?;
    let nobody = groups.remove(&Vec::new()).unwrap_or_default();
    let chosen = |places: Vec<usize>| places.into_iter().map(|place| posts[place]).collect();
    let mut groups: Vec<(Vec<&Post>, Audience)> =
        groups.into_iter().map(|(places, audience)| (chosen(places), audience)).collect();
    groups.sort_by_key(|(_, audience)| std::cmp::Reverse(audience.members.len()));
    if let Some((_, first)) = groups.first_mut() {
        first.excluded = nobody.excluded;
    }
    Ok(groups)
}

fn frozen(prepared: &Prepared, period: &Period, posts: &[&Post]) -> Result<(IssueRow, Option<Diagnostic>), Diagnostic> {
    let (issue, warning) = render::digest_issue(&prepared.theme, &prepared.site(), period, posts)?;
    let unmade = |reason: &str| {
        let place = Place::file(prepared.config.root.join(crate::config::FILE_NAME));
        Diagnostic::error("unrenderable", place, format!("`{}` cannot be made into a mail: {reason}", period.id()))
            .help("change what the message names")
    };
    open::frozen(prepared, issue, unmade).map(|(_, row)| (row, warning))
}
