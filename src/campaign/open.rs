//! Freezes issues and audiences in the ledger: from here on the folder may change.

use super::caution::Caution;
use super::digest::{self, DueDigest};
use super::news::{self, Choice, Memory};
use super::prepare::Prepared;
use crate::config::Timing;
use crate::diagnostic::Diagnostic;
use crate::dkim::Signers;
use crate::domain::address::Address;
use crate::domain::ids::{CampaignId, Generation, MessageId, PostId};
use crate::domain::issue::Issue;
use crate::domain::post::Post;
use crate::domain::subscriber::ImportCount;
use crate::domain::time::Instant;
use crate::ledger::{IssueRow, Ledger, LedgerError, MailDecision, NewCampaign};
use crate::message::{self, Frozen};
use crate::render;

/// Why no campaign could be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The ledger failed.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// Issues that cannot be made; the ledger knows nothing of them.
    #[error("an issue cannot be rendered")]
    Unrenderable(Vec<Diagnostic>),
}

/// Between which moments the mail of a new campaign goes out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Timeframe {
    /// Not before this moment; `None` is as soon as there is a sender.
    pub not_before: Option<Instant>,
    /// What has not begun by then expires; `None` is as the settings say.
    pub deliver_by: Option<Instant>,
}

impl Timeframe {
    /// When what is left of a campaign opened now expires.
    fn expires(&self, timing: &Timing, now: Instant) -> Option<Instant> {
        let usual = timing.expires_after.map(|span| self.not_before.unwrap_or(now) + span.length());
        self.deliver_by.or(usual)
    }
}

/// What was opened.
#[derive(Debug, Default)]
pub struct Opened {
    /// The new campaigns, with the post's title.
    pub campaigns: Vec<(CampaignId, String)>,
    /// Whether nothing was published before.
    pub first: bool,
    /// Posts newly found and not mailed.
    pub old: usize,
    /// Why nothing was opened.
    pub cautions: Vec<Caution>,
    /// What the list file changed.
    pub import: ImportCount,
    /// What the authors should know of the issues.
    pub warnings: Vec<Diagnostic>,
}

/// Takes the list in, decides what is news, and opens one campaign for each news post.
///
/// Every issue is rendered and assembled once for nobody before the first is frozen: what
/// cannot be rendered stops all of them. Killed in between, a second call goes on: a decision
/// and a campaign are made once.
pub fn open(
    prepared: &Prepared,
    ledger: &Ledger,
    choice: &Choice,
    timeframe: Timeframe,
    now: Instant,
) -> Result<Opened, OpenError> {
    let import = ledger.enrol(&prepared.listing.enrolments, now)?;
    ledger.record_posts(&prepared.news_of_posts())?;
    let memory = memory(ledger)?;
    let cautions = Caution::all(prepared, &memory);
    if !cautions.is_empty() {
        return Ok(Opened { cautions, import, ..Opened::default() });
    }
    let config = prepared.config;
    let sorted = news::choose(prepared.sound_posts(), &memory, config.mail_since, choice, config.publication.time_zone);
    let (issues, warnings) = freeze_all(prepared, &sorted.news)?;
    let digests = digest::due(prepared, ledger, &memory, choice, &sorted, now)?;
    ledger.decide_news(&ids(&sorted.news), &ids(&sorted.old), now)?;
    let mut opened = Opened { first: memory.first, old: sorted.old.len(), import, warnings, ..Opened::default() };
    for (post, row) in sorted.news.iter().zip(issues) {
        if ledger.latest_generation(&post.id)?.is_some() {
            continue;
        }
        let generation = Generation::FIRST;
        let audience = ledger.resolve_audience(&post.tags, &post.id, generation)?;
        ledger.freeze_issue(&row)?;
        let (not_before, expires) = (timeframe.not_before, timeframe.expires(&config.timing, now));
        let (post_id, carried) = (post.id.clone(), Vec::new());
        let new = NewCampaign { post: post_id, carried, issue: row.id, generation, audience, not_before, expires };
        opened.campaigns.push((ledger.open_campaign(&new, now)?, post.title.clone()));
    }
    for DueDigest { name, carried, audience, issue, warning } in digests {
        opened.warnings.extend(warning);
        ledger.freeze_issue(&issue)?;
        let (not_before, expires) = (timeframe.not_before, timeframe.expires(&config.timing, now));
        let generation = Generation::FIRST;
        let new = NewCampaign { post: name, carried, issue: issue.id, generation, audience, not_before, expires };
        opened.campaigns.push((ledger.open_campaign(&new, now)?, issue.subject));
    }
    Ok(opened)
}

/// Calls every post old that readers can see and that has no campaign. After an old state was
/// put back nobody knows which of them were mailed meanwhile; `publish POST` still mails one.
/// Returns how many there were.
pub fn call_old(prepared: &Prepared, ledger: &Ledger, now: Instant) -> Result<usize, LedgerError> {
    ledger.record_posts(&prepared.news_of_posts())?;
    let memory = memory(ledger)?;
    let is_open = |post: &&&Post| memory.waiting.contains(&post.id) || !memory.decided.contains(&post.id);
    let public = prepared.public_posts();
    let unmailed: Vec<&Post> = public.iter().filter(is_open).copied().collect();
    ledger.decide_news(&[], &ids(&unmailed), now)?;
    Ok(unmailed.len())
}

/// What the ledger remembers of earlier decisions.
pub(super) fn memory(ledger: &Ledger) -> Result<Memory, LedgerError> {
    let mut memory = Memory { first: ledger.first_published()?.is_none(), ..Memory::default() };
    for (id, decision) in ledger.mail_decisions()? {
        match decision {
            MailDecision::Undecided => continue,
            MailDecision::News => {
                if ledger.latest_generation(&id)?.is_none() {
                    memory.waiting.insert(id.clone());
                }
                memory.news.insert(id.clone());
            }
            MailDecision::Old => {}
        }
        memory.decided.insert(id);
    }
    Ok(memory)
}

fn ids(posts: &[&Post]) -> Vec<PostId> {
    posts.iter().map(|post| post.id.clone()).collect()
}

/// Renders and freezes every issue, collecting all that is wrong; with what the authors should
/// know of them.
pub(super) fn freeze_all(prepared: &Prepared, posts: &[&Post]) -> Result<(Vec<IssueRow>, Vec<Diagnostic>), OpenError> {
    let mut rows = Vec::new();
    let mut warnings = Vec::new();
    let mut wrong = Vec::new();
    for post in posts {
        match freeze(prepared, post) {
            Ok(Freezing { row, warnings: found, .. }) => {
                rows.push(row);
                warnings.extend(found);
            }
            Err(diagnostic) => wrong.push(diagnostic),
        }
    }
    if wrong.is_empty() { Ok((rows, warnings)) } else { Err(OpenError::Unrenderable(wrong)) }
}

/// An issue on its way into the ledger.
pub(super) struct Freezing {
    pub frozen: Frozen,
    pub row: IssueRow,
    /// What the author should know of it.
    pub warnings: Vec<Diagnostic>,
}

/// One post as a frozen issue.
pub(super) fn freeze(prepared: &Prepared, post: &Post) -> Result<Freezing, Diagnostic> {
    let (issue, warnings) = issue(prepared, post)?;
    let (frozen, row) = frozen(prepared, issue, |reason| unrenderable(post, reason))?;
    Ok(Freezing { frozen, row, warnings })
}

/// An issue, frozen, with its row; `unmade` says what it means that it cannot be.
pub(super) fn frozen(
    prepared: &Prepared,
    issue: Issue,
    unmade: impl Fn(&str) -> Diagnostic,
) -> Result<(Frozen, IssueRow), Diagnostic> {
    let frozen = message::freeze(&issue, &prepared.config.publication).map_err(|error| unmade(&error.to_string()))?;
    rehearse(&frozen, &prepared.config.signers()).map_err(|reason| unmade(&reason))?;
    let row = IssueRow {
        id: frozen.id(),
        post: issue.post,
        subject: issue.subject,
        frozen: frozen.to_bytes(),
        web_url: issue.web_url,
        commit: issue.commit,
    };
    Ok((frozen, row))
}

/// One post as an issue, and what its author should know of it.
pub(super) fn issue(prepared: &Prepared, post: &Post) -> Result<(Issue, Vec<Diagnostic>), Diagnostic> {
    let article = prepared.texts.read(post).map_err(|changed| *changed)?;
    render::issue(&prepared.theme, &prepared.site(), &article, prepared.config.mail_pictures)
}

/// Assembles and signs each variant of the issue for nobody: what fails here would fail for
/// everybody.
fn rehearse(frozen: &Frozen, signers: &Signers) -> Result<(), String> {
    let address = Address::parse("nobody@example.org").expect("the address is a constant");
    let message_id = MessageId::parse("rehearsal@example.org").expect("the id is a constant");
    for someone in frozen.made_up("https://example.org/preferences/none") {
        let recipient = someone.recipient(&address, "https://example.org/unsubscribe/none");
        message::assemble(frozen, signers, &recipient, &message_id, Instant::default())
            .map_err(|error| error.to_string())?;
    }
    Ok(())
}

fn unrenderable(post: &Post, reason: &str) -> Diagnostic {
    let place = crate::diagnostic::Place::file(&post.source);
    Diagnostic::error("unrenderable", place, format!("`{}` cannot be made into a mail: {reason}", post.title))
        .help("change what the message names, or keep the post out of the mail with `email: false`")
}
