//! What a publish would do: pure, reviewable, and nothing written.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Value, json};

use super::caution::Caution;
use super::digest::{self, DueDigest};
use super::news::{self, Choice};
use super::open::{OpenError, freeze_all, memory};
use super::prepare::Prepared;
use super::site::{self, BuildError};
use crate::diagnostic::Diagnostic;
use crate::domain::audience::{self, Covered, Exclusion, Suppressed};
use crate::domain::delivery::CampaignState;
use crate::domain::ids::{CampaignId, Generation, SubscriberId};
use crate::domain::post::{Post, Visibility};
use crate::domain::subscriber::{Enrolment, Subscriber, SubscriberState};
use crate::domain::time::Instant;
use crate::ledger::{Ledger, LedgerError};
use crate::publish::SiteChanges;

/// One campaign that would be opened.
#[derive(Debug, Clone)]
pub struct PlannedCampaign {
    /// The post's id.
    pub post: String,
    /// The post's title.
    pub title: String,
    /// How many would get it.
    pub recipients: u64,
    /// How many known subscribers would not, by reason.
    pub excluded: BTreeMap<Exclusion, u64>,
}

/// What a publish would do.
#[derive(Debug)]
pub struct Plan {
    /// Every post: id, title, source and whether it is shown.
    posts: Vec<Value>,
    /// The campaigns that would be opened, oldest post first.
    pub campaigns: Vec<PlannedCampaign>,
    /// Campaigns opened before that would go on, with how many deliveries are left.
    pub resumed: Vec<(CampaignId, u64)>,
    /// Why no campaign would be opened.
    pub cautions: Vec<Caution>,
    /// How many posts would be called old, now and for ever.
    pub old: usize,
    /// Whether nothing was published before.
    pub first: bool,
    /// The site's files.
    pub files: SiteChanges,
    /// Everything that is wrong.
    pub diagnostics: Vec<Diagnostic>,
}

impl Plan {
    /// How many mails it would be.
    pub fn recipients(&self) -> u64 {
        let opened: u64 = self.campaigns.iter().map(|campaign| campaign.recipients).sum();
        opened + self.resumed.iter().map(|(_, left)| left).sum::<u64>()
    }

    /// The shape scripts read (`docs/commands.md`).
    pub fn to_json(&self) -> Value {
        let campaigns: Vec<Value> = self
            .campaigns
            .iter()
            .map(|campaign| {
                let excluded: BTreeMap<&str, u64> =
                    campaign.excluded.iter().map(|(reason, n)| (reason.word(), *n)).collect();
                json!({"post": campaign.post, "title": campaign.title, "recipients": campaign.recipients, "excluded": excluded})
            })
            .collect();
        json!({
            "posts": self.posts,
            "campaigns": campaigns,
            "resumed": self.resumed.iter().map(|(id, left)| json!({"campaign": id, "left": left})).collect::<Vec<_>>(),
            "cautions": self.cautions.iter().map(|caution| caution.sentence()).collect::<Vec<_>>(),
            "files": {"added": self.files.added, "changed": self.files.changed, "removed": self.files.removed},
            "diagnostics": self.diagnostics.iter().map(Diagnostic::to_json).collect::<Vec<_>>(),
        })
    }
}

/// Tells what [`super::open`] and [`super::build`] would do, with the list file counted as if
/// it had been taken in.
pub fn plan(prepared: &Prepared, ledger: &Ledger, choice: &Choice, now: Instant) -> Result<Plan, BuildError> {
    let memory = memory(ledger)?;
    let config = prepared.config;
    let cautions = Caution::all(prepared, &memory);
    let sorted = news::choose(prepared.sound_posts(), &memory, config.mail_since, choice, config.publication.time_zone);
    let mut diagnostics = prepared.diagnostics.clone();
    match freeze_all(prepared, &sorted.news) {
        Ok((_, warnings)) => diagnostics.extend(warnings),
        Err(OpenError::Unrenderable(wrong)) => diagnostics.extend(wrong),
        Err(OpenError::Ledger(error)) => return Err(error.into()),
    }
    let mut campaigns = Vec::new();
    let news = if cautions.is_empty() { sorted.news.as_slice() } else { &[] };
    for post in news {
        if ledger.latest_generation(&post.id)?.is_none() {
            campaigns.push(foresee(prepared, ledger, post, now)?);
        }
    }
    if cautions.is_empty() {
        match digest::due(prepared, ledger, &memory, choice, &sorted, now) {
            Ok(mut due) => {
                diagnostics.extend(due.iter_mut().filter_map(|digest| digest.warning.take()));
                campaigns.extend(due.into_iter().map(PlannedCampaign::of));
            }
            Err(OpenError::Unrenderable(wrong)) => diagnostics.extend(wrong),
            Err(OpenError::Ledger(error)) => return Err(error.into()),
        }
    }
    let files = site::foresee(prepared)?;
    diagnostics.extend(files.diagnostics.iter().cloned());
    Ok(Plan {
        posts: prepared.posts.iter().map(describe).collect(),
        campaigns,
        resumed: resumed(ledger)?,
        cautions,
        old: sorted.old.len(),
        first: memory.first,
        files,
        diagnostics,
    })
}

/// The campaigns that a sender would go on with.
fn resumed(ledger: &Ledger) -> Result<Vec<(CampaignId, u64)>, LedgerError> {
    let mut resumed = Vec::new();
    for campaign in ledger.campaigns()? {
        match campaign.state {
            CampaignState::Planned | CampaignState::Running => {
                let left = ledger.totals(&campaign.id)?.pending;
                resumed.extend((left > 0).then_some((campaign.id, left)));
            }
            CampaignState::Drafting | CampaignState::Paused | CampaignState::Finished | CampaignState::Cancelled => {}
        }
    }
    Ok(resumed)
}

fn describe(post: &Post) -> Value {
    let visibility = match post.visibility {
        Visibility::Public => "public",
        Visibility::Scheduled => "scheduled",
        Visibility::Draft => "draft",
    };
    json!({
        "id": post.id, "title": post.title, "source": post.source, "slug": post.slug.as_str(),
        "date": post.date.to_rfc3339(), "visibility": visibility,
        "number": post.number, "tags": post.tags,
    })
}

/// Places everybody the ledger knows, as the list file would change them, and then those
/// whom only the list file knows.
fn foresee(prepared: &Prepared, ledger: &Ledger, post: &Post, now: Instant) -> Result<PlannedCampaign, LedgerError> {
    let mut listed: HashMap<String, &Enrolment> =
        prepared.listing.enrolments.iter().map(|enrolment| (enrolment.address.key(), enrolment)).collect();
    let mut campaign = PlannedCampaign {
        post: post.id.to_string(),
        title: post.title.clone(),
        recipients: 0,
        excluded: BTreeMap::new(),
    };
    ledger.each_placement(&post.id, Generation::FIRST, &mut |mut subscriber, suppressed, covered| {
        if let Some(enrolment) = listed.remove(&subscriber.address.key()) {
            subscriber.topics.clone_from(&enrolment.topics);
            subscriber.cadence = enrolment.cadence;
        }
        campaign.place(&subscriber, post, suppressed, covered);
    })?;
    for enrolment in listed.into_values() {
        let suppressed = ledger.is_suppressed(&enrolment.address)?;
        campaign.place(&newcomer(enrolment, now), post, suppressed, Covered::No);
    }
    Ok(campaign)
}

impl PlannedCampaign {
    fn of(digest: DueDigest) -> Self {
        Self {
            post: digest.name.to_string(),
            title: digest.issue.subject,
            recipients: digest.audience.members.len() as u64,
            excluded: digest.audience.excluded,
        }
    }

    fn place(&mut self, subscriber: &Subscriber, post: &Post, suppressed: Suppressed, covered: Covered) {
        match audience::place(subscriber, &post.tags, suppressed, covered) {
            Ok(()) => self.recipients += 1,
            Err(reason) => *self.excluded.entry(reason).or_default() += 1,
        }
    }
}

/// A person whom the list file names and the ledger does not know yet.
fn newcomer(enrolment: &Enrolment, now: Instant) -> Subscriber {
    Subscriber {
        id: SubscriberId(0),
        address: enrolment.address.clone(),
        name: enrolment.name.clone(),
        topics: enrolment.topics.clone(),
        cadence: enrolment.cadence,
        attributes: enrolment.attributes.clone(),
        state: SubscriberState::Active,
        since: now,
    }
}
