//! `publish`: build, open campaigns for news, deliver, and say what became of everybody.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::runtime::Runtime;
use tokio::sync::watch;

use super::args::{Publishing, Selection};
use super::build;
use super::campaigns;
use super::context::Context;
use super::exit::Exit;
use super::failure::Failure;
use super::metrics::Endpoint;
use super::plan;
use super::printer;
use super::progress::Progress;
use super::status;
use crate::campaign::{self, Choice, OpenError, Opened, Plan, Prepared, Timeframe};
use crate::config::{self, Config, Relay};
use crate::deliver::{Ending, OTHER_VERSION, OneCore, Patience, Stop, Tally};
use crate::diagnostic::has_errors;
use crate::domain::delivery::{CampaignState, InDoubtPolicy, Totals};
use crate::domain::ids::CampaignId;
use crate::domain::time::Instant;
use crate::ledger::{self, Campaign, Ledger, LedgerError, Recovery, Sender, Terms};

/// The exit code of [`Exit::Interrupted`], for the second signal.
const INTERRUPTED: i32 = 130;

/// A campaign this run was concerned with, and its account.
type Fate = (Campaign, Totals);

/// How a publish behaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manner {
    asking: Asking,
    patience: Patience,
    /// The moments that were typed for new campaigns.
    at: Option<String>,
    deliver_by: Option<String>,
    overdue: Overdue,
    /// Where metrics are served.
    metrics: Option<SocketAddr>,
}

/// What becomes of campaigns whose time passed while nothing ran.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Overdue {
    Hold,
    Send,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asking {
    BeforeMailing,
    Never,
}

impl Manner {
    /// The manner that the command line asks for.
    pub fn of(typed: Publishing) -> Self {
        Self {
            at: typed.at,
            deliver_by: typed.deliver_by,
            metrics: typed.metrics,
            overdue: if typed.overdue { Overdue::Send } else { Overdue::Hold },
            asking: if typed.yes { Asking::Never } else { Asking::BeforeMailing },
            patience: if typed.wait { Patience::WaitForDeferred } else { Patience::LeaveDeferred },
        }
    }

    /// Between which moments new campaigns go out.
    fn timeframe(&self, config: &Config, now: Instant) -> Result<Timeframe, Failure> {
        let moment = |option: &str, typed: &Option<String>| {
            typed.as_deref().map(|text| moment(option, text, config, now)).transpose()
        };
        let (not_before, deliver_by) = (moment("--at", &self.at)?, moment("--deliver-by", &self.deliver_by)?);
        if let (Some(start), Some(end)) = (not_before, deliver_by)
            && end <= start
        {
            let help = Some("the one is the beginning, the other the end".to_owned());
            return Err(Failure::Usage { message: "`--deliver-by` is not after `--at`".to_owned(), help });
        }
        Ok(Timeframe { not_before, deliver_by })
    }
}

/// Publishes. Run again after any interruption, it goes on where it was.
pub fn run(context: &Context, selection: &Selection, manner: &Manner) -> Result<Exit, Failure> {
    let (config, warnings) = context.config()?;
    printer::diagnostics(&warnings);
    let timeframe = manner.timeframe(&config, context.now())?;
    let endpoint = manner.metrics.map(Endpoint::bind).transpose()?;
    let ledger = context.ledger(&config)?;
    let prepared = build::prepare(context, &config, &ledger)?;
    let typed = plan::choice(&prepared, &ledger, selection)?;
    let agreed = match manner.asking {
        Asking::Never => Some(typed),
        Asking::BeforeMailing => ask(context, &prepared, &ledger, typed)?,
    };
    let Some(choice) = agreed else {
        printer::say("nothing was written and nothing was mailed");
        return Ok(Exit::Done);
    };
    let core = core(&config);
    let sender = core.hold(|| become_sender(context, &config, &ledger))?;
    let built = campaign::build(&prepared, &ledger)?;
    let mut diagnostics = [prepared.diagnostics.clone(), built.diagnostics.clone()].concat();
    let opened = match campaign::open(&prepared, &ledger, &choice, timeframe, context.now()) {
        Ok(opened) => opened,
        // Nothing new is opened; what was opened before goes on.
        Err(OpenError::Unrenderable(wrong)) => {
            diagnostics.extend(wrong);
            Opened::default()
        }
        Err(OpenError::Ledger(error)) => return Err(error.into()),
    };
    diagnostics.extend(opened.warnings.iter().cloned());
    printer::diagnostics(&diagnostics);
    printer::say(&build::summary(&prepared, &built));
    announce(&opened);
    let concerned = unfinished(&ledger)?;
    see_to_overdue(&ledger, &concerned, manner.overdue, context.now())?;
    let ending = deliver(context, &config, &ledger, sender, &core, manner.patience, endpoint)?;
    let fates = conclude(&config, &ledger, &concerned)?;
    let exit = verdict(&ending, &fates)?;
    Ok(if exit == Exit::Done && has_errors(&diagnostics) { Exit::Invalid } else { exit })
}

/// Reads the moment typed behind an option; one that has passed is refused.
fn moment(option: &str, text: &str, config: &Config, now: Instant) -> Result<Instant, Failure> {
    let zone = config.publication.time_zone;
    let help = |help: String| Failure::Usage { message: format!("{option} `{text}`"), help: Some(help) };
    let moment = config::moment(text, zone)
        .ok_or_else(|| help(format!("write it as `2026-12-01 09:00` (in {zone}) or `2026-12-01T09:00:00+01:00`")))?;
    if moment <= now {
        return Err(help(format!("that moment has passed; without `{option}` the mail goes out now")));
    }
    Ok(moment)
}

/// Holds campaigns whose time passed while nothing ran, or lets them go if the author says so.
fn see_to_overdue(ledger: &Ledger, concerned: &[CampaignId], wish: Overdue, now: Instant) -> Result<(), LedgerError> {
    if wish == Overdue::Hold {
        for id in ledger.hold_overdue(now)? {
            let reason = ledger.campaign(&id)?.reason.unwrap_or_default();
            printer::say(&format!("{id} is held, {reason}: `fieldpost publish --overdue` mails it"));
        }
        return Ok(());
    }
    for id in concerned {
        if is_overdue(&ledger.campaign(id)?) {
            ledger.resume(id, now)?;
        }
    }
    Ok(())
}

fn is_overdue(campaign: &Campaign) -> bool {
    is_held_for(campaign, ledger::OVERDUE)
}

/// Whether a campaign is held for a reason that no relay gave.
fn is_for_the_author(campaign: &Campaign) -> bool {
    [ledger::OVERDUE, ledger::OLD_COPY, OTHER_VERSION].iter().any(|why| is_held_for(campaign, why))
}

fn is_held_for(campaign: &Campaign, why: &str) -> bool {
    campaign.state == CampaignState::Paused && campaign.reason.as_ref().is_some_and(|reason| reason.starts_with(why))
}

/// The campaigns this run may send for.
fn unfinished(ledger: &Ledger) -> Result<Vec<CampaignId>, Failure> {
    let is_open = |state| match state {
        CampaignState::Drafting | CampaignState::Planned | CampaignState::Running | CampaignState::Paused => true,
        CampaignState::Finished | CampaignState::Cancelled => false,
    };
    Ok(ledger.campaigns()?.into_iter().filter(|campaign| is_open(campaign.state)).map(|campaign| campaign.id).collect())
}

/// Shows the plan and asks; the choice that was agreed on, or `None`. Without a terminal
/// there is nobody to ask: that is an error.
fn ask(context: &Context, prepared: &Prepared, ledger: &Ledger, mut choice: Choice) -> Result<Option<Choice>, Failure> {
    let mut plan = campaign::plan(prepared, ledger, &choice, context.now())?;
    printer::diagnostics(&plan.diagnostics);
    if !printer::is_interactive() {
        printer::say(&plan::account(&plan));
        return Err(Failure::Usage {
            message: "there is no terminal to ask on".to_owned(),
            help: Some("review with `fieldpost plan`, then run `fieldpost publish --yes`".to_owned()),
        });
    }
    if plan.first && plan.old > 0 && choice == Choice::Unsaid && prepared.config.mail_since.is_none() {
        choice = ask_for_news(plan.old);
        plan = campaign::plan(prepared, ledger, &choice, context.now())?;
    }
    printer::say(&plan::account(&plan));
    Ok(printer::confirm(&question(&plan)).then_some(choice))
}

/// On the first publish: which of the posts that are here already are news?
fn ask_for_news(old: usize) -> Choice {
    printer::say(&format!("{} here already. Which of them are news, to be mailed?", printer::count(old, "post")));
    loop {
        let answer = printer::ask("Enter for none, a number for the newest, or a date to begin with (2026-01-31):");
        if let Some(choice) = read_news(&answer) {
            return choice;
        }
        printer::say(&format!("`{answer}` is neither a number nor a date"));
    }
}

fn read_news(answer: &str) -> Option<Choice> {
    match answer {
        "" | "none" => Some(Choice::Unsaid),
        text => text.parse().map(Choice::Backfill).or_else(|_| text.parse().map(Choice::Since)).ok(),
    }
}

fn question(plan: &Plan) -> String {
    match plan.recipients() {
        0 => "Publish?".to_owned(),
        1 => "Publish, and send 1 mail?".to_owned(),
        n => format!("Publish, and send {} mails?", printer::thousands(n)),
    }
}

/// Becomes the sender and says what an earlier one left behind, by address, before anything
/// is resent.
fn become_sender(context: &Context, config: &Config, ledger: &Ledger) -> Result<Sender, Failure> {
    let terms = Terms {
        in_doubt: config.in_doubt,
        rules: config.rules.clone(),
        witness: context.environment.user_state.clone(),
    };
    let (sender, recovery) = ledger.become_sender(&terms, context.now())?;
    tell_recovery(ledger, &recovery, config.in_doubt)?;
    Ok(sender)
}

fn tell_recovery(ledger: &Ledger, recovery: &Recovery, policy: InDoubtPolicy) -> Result<(), LedgerError> {
    if recovery.planned_again + recovery.settled_from_marks > 0 || !recovery.in_doubt.is_empty() {
        printer::say(&format!(
            "an earlier run ended early: {} deliveries were never sent, {} were sent and recorded, {} are in doubt",
            printer::thousands(recovery.planned_again),
            printer::thousands(recovery.settled_from_marks),
            printer::thousands(recovery.in_doubt.len() as u64)
        ));
    }
    let fate = match policy {
        InDoubtPolicy::Resend => "sent once more, byte for byte",
        InDoubtPolicy::Hold => "held; `fieldpost resolve` decides",
    };
    for delivery in &recovery.in_doubt {
        if let Some(row) = ledger.delivery(*delivery)? {
            printer::say(&format!("  in doubt: {} ({fate})", row.address));
        }
    }
    Ok(())
}

fn announce(opened: &Opened) {
    for caution in &opened.cautions {
        printer::say(caution.sentence());
    }
    let import = opened.import;
    if import.added + import.updated > 0 {
        printer::say(&format!(
            "subscribers: {} added, {} updated, {} kept out",
            printer::thousands(import.added),
            printer::thousands(import.updated),
            printer::thousands(import.kept_out)
        ));
    }
    if opened.first && opened.old > 0 {
        printer::say(&format!(
            "first publish: {} here already, in the feeds and not mailed (`fieldpost publish POST` mails one)",
            printer::count(opened.old, "post")
        ));
    }
    for (campaign, title) in &opened.campaigns {
        printer::say(&format!("campaign {campaign}: {title}"));
    }
}

/// Where mail is delivered and the ledger written: beside the relay, when that is on this machine.
fn core(config: &Config) -> OneCore {
    let is_used_here = |relay: &Relay| relay.is_here() && relay.pace.weight > 0;
    if config.relays.iter().any(is_used_here) { OneCore::of_two() } else { OneCore::none() }
}

/// The runtime that mail leaves from: one thread has the wire and makes the messages. Two would wake
/// each other for every message, which costs more than the message does.
fn delivery_runtime() -> Result<Runtime, Failure> {
    started(&mut tokio::runtime::Builder::new_current_thread())
}

/// The runtime that connections live in.
pub fn runtime() -> Result<Runtime, Failure> {
    started(tokio::runtime::Builder::new_multi_thread().worker_threads(2))
}

fn started(runtime: &mut tokio::runtime::Builder) -> Result<Runtime, Failure> {
    runtime.enable_all().build().map_err(|error| Failure::Unwritable(format!("no threads can be started: {error}")))
}

fn deliver(
    context: &Context,
    config: &Config,
    ledger: &Ledger,
    sender: Sender,
    core: &OneCore,
    patience: Patience,
    endpoint: Option<Endpoint>,
) -> Result<Ending, Failure> {
    let clock = context.environment.clock();
    let pending = sender.pending(clock.now())?;
    let tally = Arc::new(Tally::default());
    let metrics = endpoint.map(|endpoint| endpoint.serve(Arc::clone(&tally))).transpose()?;
    let (stop, _) = watch::channel(Stop::No);
    let progress = Progress::follow(Arc::clone(&tally), pending.ready);
    let runtime = delivery_runtime()?;
    let sent = core.hold(|| {
        runtime.block_on(async {
            tokio::spawn(drain_on_signal(stop.clone()));
            campaign::send(config, ledger.clone(), sender, patience, clock, tally, stop).await
        })
    });
    drop((progress, metrics));
    Ok(sent?.ending)
}

/// The first SIGINT or SIGTERM finishes what is on the wire; the second ends the process.
async fn drain_on_signal(stop: watch::Sender<Stop>) {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut interrupt), Ok(mut terminate)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        return;
    };
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    stop.send_if_modified(|state| {
        let first = *state == Stop::No;
        if first {
            *state = Stop::Drain;
        }
        first
    });
    printer::say("stopping: what is on the wire is finished, nothing new is begun; a second signal ends it at once");
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    // As good as killed: the mark file tells the next run what became of the wire.
    std::process::exit(INTERRUPTED);
}

/// Says what became of every campaign concerned, and where to look.
fn conclude(config: &Config, ledger: &Ledger, concerned: &[CampaignId]) -> Result<Vec<Fate>, Failure> {
    let mut all = Vec::new();
    for id in concerned {
        let campaign = ledger.campaign(id)?;
        let totals = ledger.totals(id)?;
        let subject = ledger.issue(&campaign.issue)?.map(|issue| issue.subject).unwrap_or_default();
        printer::say(&format!("{}\n     {}", status::headline(&campaign, &subject), status::account(&totals)));
        all.push((campaign, totals));
    }
    printer::say(&format!("site:   {}", config.output.join("index.html").display()));
    if config.relays.is_empty() {
        printer::say(&format!("mail:   {} (a Maildir; `mutt -f` opens it)", config.outbox.display()));
    }
    printer::say("report: `fieldpost report` says who got what");
    Ok(all)
}

fn verdict(ending: &Ending, fates: &[Fate]) -> Result<Exit, Failure> {
    let paused_by_policy = |(campaign, _): &&Fate| {
        campaign.state == CampaignState::Paused
            && campaign.reason.as_deref() != Some(campaigns::BY_AUTHOR)
            && !is_for_the_author(campaign)
    };
    if let Some((campaign, _)) = fates.iter().find(paused_by_policy) {
        let reason = campaign.reason.as_deref().unwrap_or("for no reason given");
        return Err(Failure::Paused { campaign: campaign.id.to_string(), reason: reason.to_owned() });
    }
    match ending {
        Ending::RelayUnavailable(reason) => Err(Failure::Relay(format!("no relay could be used: {reason}"))),
        Ending::Interrupted => Ok(Exit::Interrupted),
        Ending::RelaysFull { until } => {
            let until = until.format("%Y-%m-%d %H:%M UTC");
            printer::say(&format!(
                "the relays take no more before {until}: the rest waits for the next `fieldpost publish`"
            ));
            Ok(Exit::Done)
        }
        Ending::Done if fates.iter().any(|(_, totals)| totals.rejected + totals.in_doubt > 0) => Ok(Exit::Imperfect),
        Ending::Done if fates.iter().any(|(campaign, _)| is_for_the_author(campaign)) => Ok(Exit::Imperfect),
        Ending::Done => Ok(Exit::Done),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_to_which_posts_are_news_is_nothing_a_number_or_a_date() {
        assert_eq!(read_news(""), Some(Choice::Unsaid));
        assert_eq!(read_news("3"), Some(Choice::Backfill(3)));
        assert!(matches!(read_news("2026-01-31"), Some(Choice::Since(_))));
        assert_eq!(read_news("all"), None);
        assert_eq!(read_news("-1"), None);
    }
}
