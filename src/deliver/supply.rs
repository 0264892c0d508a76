//! Begins prepared deliveries, as far ahead of the wire as the pace allows.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use tokio::sync::{OwnedSemaphorePermit, mpsc};

use super::gate::DOMAIN_FULL;
use super::prepare::Prepared;
use super::queue::Ready;
use super::relays::Load;
use super::{DeliverError, InHand, Patience, Shared, Stop};
use crate::domain::ids::MessageId;
use crate::domain::time::Instant;
use crate::domain::traffic::Passage;
use crate::ledger::{Begin, BeginAnswer, Claim, Postpone, Purpose, Refusal};
use crate::smtp::Outgoing;

/// How long a look at the room waits at most for the next settle.
const BREATH: Duration = Duration::from_millis(50);
/// So long a run waits until the relays take more.
const FULL_FOR: TimeDelta = TimeDelta::minutes(10);
/// So long a run waits until a relay is fit again.
const UNFIT_FOR: TimeDelta = TimeDelta::seconds(30);
/// After so long at the latest, the gate is asked again.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// Begins what was prepared until nothing more comes or the run is stopping, then closes the
/// queues, of which each place has one. Several begins are under way at once: each waits for its
/// own commit.
pub(super) async fn run(
    shared: Arc<Shared>,
    mut prepared: mpsc::Receiver<Vec<Prepared>>,
    queues: Vec<mpsc::Sender<Ready>>,
) -> Stop {
    while let Some(batch) = prepared.recv().await {
        let mut batch = VecDeque::from(batch);
        while !batch.is_empty() {
            let rooms = rooms(&shared, batch.len()).await;
            if rooms.is_empty() {
                return Stop::Finished;
            }
            let Admitted { go, postponed, wait } = admit(&shared, &mut batch, rooms);
            give_back(&shared, postponed);
            begin(&shared, go, &queues);
            if let Some(wait) = wait
                && let Some(stop) = wait.out(&shared).await
            {
                return stop;
            }
        }
    }
    Stop::Finished
}

/// What the gate said to a batch, as far as it was asked.
struct Admitted {
    /// To be begun now, each through the relay of that number.
    go: Vec<(Prepared, OwnedSemaphorePermit, usize)>,
    /// To be given back until a moment, with the reason.
    postponed: Vec<(Prepared, Instant, &'static str)>,
    /// Why nobody else may go now.
    wait: Option<Wait>,
}

/// Asks the gate for one after the other, until it is shut or there is no more room.
fn admit(shared: &Shared, batch: &mut VecDeque<Prepared>, rooms: Vec<OwnedSemaphorePermit>) -> Admitted {
    let now = shared.clock.now();
    let condition = |number| shared.relays.condition(number, tokio::time::Instant::now());
    let room = shared.pace.allowed();
    let mut admitted = Admitted { go: Vec::with_capacity(rooms.len()), postponed: Vec::new(), wait: None };
    for piece in rooms {
        let Some(prepared) = batch.pop_front() else { break };
        if shared.gate.is_halted(&prepared.claim.campaign) {
            continue;
        }
        // Asked when it was claimed, too. With a slow relay that may be a while ago.
        if let Some((until, reason)) = shared.gate.wait_for_the_day(&prepared.claim, now) {
            admitted.postponed.push((prepared, until, reason));
            continue;
        }
        let wait = match shared.gate.ask(&prepared.claim, condition, room, now) {
            Passage::Go(relay) => {
                admitted.go.push((prepared, piece, relay));
                continue;
            }
            Passage::DomainFull(until) if prepared.claim.purpose == Purpose::Send => {
                admitted.postponed.push((prepared, until, DOMAIN_FULL));
                continue;
            }
            // A doubt is never postponed: it waits here.
            Passage::DomainFull(until) | Passage::RelaysFull(until) => Wait::Full(until),
            Passage::NoneFit { until, reason } => Wait::NoneFit { until, reason },
        };
        batch.push_front(prepared);
        admitted.wait = Some(wait);
        break;
    }
    admitted
}

/// Gives back what has to wait for its reader's day or its domain.
fn give_back(shared: &Arc<Shared>, postponed: Vec<(Prepared, Instant, &'static str)>) {
    if postponed.is_empty() {
        return;
    }
    let ask = |(prepared, until, reason): &(Prepared, Instant, &str)| Postpone {
        delivery: prepared.claim.delivery,
        until: *until,
        reason: (*reason).to_owned(),
    };
    let recorded = shared.sender.postpone(postponed.iter().map(ask).collect(), shared.clock.now());
    let shared = Arc::clone(shared);
    tokio::spawn(async move {
        if let Err(error) = recorded.await {
            shared.break_off(error.into());
        }
        drop(postponed);
    });
}

/// Queues the begins of some deliveries with the ledger, and before them what the gate has to
/// remember of them; those that have begun go to the queue of their relay when the commit is
/// durable.
fn begin(shared: &Arc<Shared>, go: Vec<(Prepared, OwnedSemaphorePermit, usize)>, queues: &[mpsc::Sender<Ready>]) {
    if go.is_empty() {
        return;
    }
    let now = shared.clock.now();
    let notes = shared.gate.take_notes();
    let noted = (!notes.is_empty()).then(|| shared.sender.note(notes, now));
    let (begins, beginnings): (Vec<Begin>, Vec<Beginning>) = go
        .into_iter()
        .map(|(prepared, room, number)| {
            let load = Load::on(shared.relays.get(number));
            Beginning::of(prepared, room, load, queues[number].clone())
        })
        .unzip();
    let answers = shared.sender.begin(begins, now);
    let shared = Arc::clone(shared);
    tokio::spawn(async move {
        if let Some(noted) = noted
            && let Err(error) = noted.await
        {
            return shared.break_off(error.into());
        }
        match answers.await {
            Ok(answers) => {
                for (one, answer) in beginnings.into_iter().zip(answers) {
                    one.take(&shared, answer, now).await;
                }
            }
            Err(error) => shared.break_off(error.into()),
        }
    });
}

/// Why nobody may go now.
enum Wait {
    /// The relays take no more before that moment.
    Full(Instant),
    /// No relay is fit before that moment, if ever.
    NoneFit { until: Option<Instant>, reason: String },
}

impl Wait {
    /// Waits a while; or says why the run ends, when it would be too long for it.
    async fn out(self, shared: &Shared) -> Option<Stop> {
        let now = shared.clock.now();
        let has_patience = shared.patience == Patience::WaitForDeferred;
        let bears = |until: Instant, most: TimeDelta| shared.clock.runs() && (has_patience || until - now <= most);
        let until = match self {
            Self::Full(until) if bears(until, FULL_FOR) => until,
            Self::Full(until) => return Some(Stop::RelaysFull(until)),
            Self::NoneFit { until: Some(until), .. } if bears(until, UNFIT_FOR) => until,
            Self::NoneFit { reason, .. } => return Some(Stop::RelayGone(reason)),
        };
        let pause = (until - now).to_std().unwrap_or_default().min(LOOK_AGAIN);
        let mut stop = shared.stop.subscribe();
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            _ = stop.wait_for(|stop| *stop != Stop::No) => {}
        }
        None
    }
}

/// A delivery whose begin is being committed.
struct Beginning {
    claim: Box<Claim>,
    message_id: MessageId,
    outgoing: Outgoing,
    in_hand: InHand,
    room: OwnedSemaphorePermit,
    load: Load,
    queue: mpsc::Sender<Ready>,
}

impl Beginning {
    /// What the ledger is asked, and what waits for its answer.
    fn of(prepared: Prepared, room: OwnedSemaphorePermit, load: Load, queue: mpsc::Sender<Ready>) -> (Begin, Self) {
        let Prepared { claim, frozen, outgoing, in_hand } = prepared;
        let message_id = frozen.message_id.clone();
        let ask = Begin {
            delivery: claim.delivery,
            campaign: claim.campaign.clone(),
            attempt: claim.attempt,
            relay: load.relay().to_owned(),
            frozen,
        };
        (ask, Self { claim, message_id, outgoing, in_hand, room, load, queue })
    }

    async fn take(self, shared: &Shared, answer: BeginAnswer, begun: Instant) {
        match answer {
            BeginAnswer::Begun { slot } => {
                let Self { claim, message_id, outgoing, in_hand, room, load, queue } = self;
                let ready = Ready { claim, slot, outgoing, message_id, begun, room, load, in_hand };
                if queue.send(ready).await.is_err() {
                    shared.break_off(DeliverError::Issue("every lane has ended".to_owned()));
                }
            }
            BeginAnswer::Refused(Refusal::Paused | Refusal::NotClaimed) => {}
            BeginAnswer::Refused(
                Refusal::Suppressed
                | Refusal::Unsubscribed
                | Refusal::Cancelled
                | Refusal::Expired
                | Refusal::DigestDiffers,
            ) => shared.tally.count_excluded(),
        }
    }
}

/// Waits until the pace allows at least one more delivery, then takes as much of the room as
/// it allows, up to `wanted`. Nothing when the run is stopping.
async fn rooms(shared: &Shared, wanted: usize) -> Vec<OwnedSemaphorePermit> {
    let mut rooms = Vec::new();
    while rooms.is_empty() && !shared.is_stopping() {
        let allowed = shared.pace.allowed();
        while shared.begun() < allowed
            && rooms.len() < wanted
            && let Ok(piece) = Arc::clone(&shared.room).try_acquire_owned()
        {
            rooms.push(piece);
        }
        if rooms.is_empty() {
            shared.wanted.notify_one();
            // The pace may allow more although nothing was settled.
            drop(tokio::time::timeout(BREATH, shared.settled.notified()).await);
        }
    }
    rooms
}
