//! The ledger against a model that fits on two pages, under random orders of events: claims,
//! begins, marks, outcomes, the author's hand, people who leave, and crashes at any moment.

use proptest::prelude::*;

use super::*;

/// Readers in a short story.
const FEW: usize = 6;
/// Readers in a long one: enough that not all is over half-way.
const MANY: usize = 60;

#[derive(Debug, Clone, Copy)]
enum Event {
    Claim(usize),
    Begin(usize),
    Dot(usize),
    Reply(usize),
    Settle(usize, End),
    Unsubscribe(usize),
    Pause,
    Resume,
    Cancel,
    Abandon,
    Crash,
}

#[derive(Debug, Clone, Copy)]
enum End {
    Accepted,
    Deferred,
    Rejected,
    InDoubt,
    Withdrawn,
}

fn event(readers: usize) -> impl Strategy<Value = Event> {
    let end = prop_oneof![
        1 => Just(End::Accepted),
        2 => Just(End::Deferred),
        1 => Just(End::Rejected),
        6 => Just(End::InDoubt),
        3 => Just(End::Withdrawn)
    ];
    let who = 0..readers;
    prop_oneof![
        20 => (1..5usize).prop_map(Event::Claim),
        30 => who.clone().prop_map(Event::Begin),
        12 => who.clone().prop_map(Event::Dot),
        4 => who.clone().prop_map(Event::Reply),
        30 => (who.clone(), end).prop_map(|(who, end)| Event::Settle(who, end)),
        1 => who.prop_map(Event::Unsubscribe),
        3 => Just(Event::Pause),
        12 => Just(Event::Resume),
        1 => Just(Event::Cancel),
        1 => Just(Event::Abandon),
        8 => Just(Event::Crash),
    ]
}

/// What a slot says in the model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Marked {
    Begun,
    Dot,
    Replied,
}

/// One delivery as the model knows it.
#[derive(Debug, Clone)]
struct Row {
    state: DeliveryState,
    doubts: u32,
    /// Resent already, or held: no more by itself.
    spent: bool,
    gone: bool,
    claim: Option<Claim>,
    slot: Option<(MarkSlot, Marked)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Steered {
    Open,
    Paused,
    Cancelled,
}

struct Model {
    house: House,
    id: CampaignId,
    sender: Option<Sender>,
    steered: Steered,
    rows: BTreeMap<DeliveryId, Row>,
}

impl Model {
    fn new(readers: usize) -> Self {
        let house = House::with_readers(readers);
        let id = house.open_campaign();
        let mut rows = BTreeMap::new();
        let fresh =
            Row { state: DeliveryState::Planned, doubts: 0, spent: false, gone: false, claim: None, slot: None };
        house.ledger.each_delivery(&id, &mut |row| drop(rows.insert(row.id, fresh.clone()))).unwrap();
        let sender = Some(house.sender());
        Self { house, id, sender, steered: Steered::Open, rows }
    }

    fn sender(&self) -> &Sender {
        self.sender.as_ref().unwrap()
    }

    fn finished(&self) -> bool {
        self.steered != Steered::Cancelled && self.rows.values().all(|row| row.state.is_terminal())
    }

    /// The delivery that `who` stands for, if the model finds it fit.
    fn pick(&self, who: usize, fit: impl Fn(&Row) -> bool) -> Option<(DeliveryId, Claim)> {
        let fit: Vec<_> = self.rows.iter().filter(|(_, row)| row.claim.is_some() && fit(row)).collect();
        let (id, row) = fit.get(who % fit.len().max(1))?;
        Some((**id, row.claim.clone().unwrap()))
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Claim(n) => self.claim(n),
            Event::Begin(who) => self.begin(who),
            Event::Dot(who) => self.mark(who, Marked::Begun, Marked::Dot),
            Event::Reply(who) => self.mark(who, Marked::Dot, Marked::Replied),
            Event::Settle(who, end) => self.settle(who, end),
            Event::Unsubscribe(who) => {
                let (id, row) = self.rows.iter_mut().nth(who).unwrap();
                let address = self.house.ledger.delivery(*id).unwrap().unwrap().address;
                let person = self.house.ledger.subscriber_by_address(&address).unwrap().unwrap();
                self.house.ledger.unsubscribe(person.id, at(5)).unwrap();
                row.gone = true;
            }
            Event::Pause | Event::Resume | Event::Cancel => self.steer(event),
            Event::Abandon => self.abandon(),
            Event::Crash => self.crash(),
        }
    }

    fn claim(&mut self, n: usize) {
        let open = self.steered == Steered::Open;
        let ready = |row: &Row| match row.state {
            DeliveryState::Planned | DeliveryState::Deferred => row.claim.is_none(),
            DeliveryState::InDoubt => !row.spent && row.claim.is_none(),
            _ => false,
        };
        let expected = if open { self.rows.values().filter(|row| ready(row)).count().min(n) } else { 0 };
        let claims = self.sender().claim(n, at(1000)).unwrap();
        assert_eq!(claims.len(), expected);
        for claim in claims {
            let row = self.rows.get_mut(&claim.delivery).unwrap();
            assert!(ready(row), "claimed although it was {:?}", row.state);
            assert_eq!(claim.purpose == Purpose::Resend, row.doubts > 0);
            row.claim = Some(claim);
        }
    }

    fn begin(&mut self, who: usize) {
        let Some((id, claim)) = self.pick(who, |row| row.slot.is_none()) else { return };
        let answer = begin_one(self.sender(), &claim);
        let steered = self.steered;
        let row = self.rows.get_mut(&id).unwrap();
        let doubtful = row.doubts > 0;
        let expected = match (row.state, steered) {
            (DeliveryState::Planned | DeliveryState::Deferred | DeliveryState::InDoubt, Steered::Open) if row.gone => {
                Some(Refusal::Unsubscribed)
            }
            (DeliveryState::Planned | DeliveryState::Deferred | DeliveryState::InDoubt, Steered::Open) => None,
            (DeliveryState::Planned | DeliveryState::Deferred | DeliveryState::InDoubt, Steered::Paused) => {
                Some(Refusal::Paused)
            }
            (DeliveryState::Abandoned, _) => Some(Refusal::NotClaimed),
            _ => Some(Refusal::Cancelled),
        };
        match (answer, expected) {
            (BeginAnswer::Begun { slot }, None) => {
                row.spent |= doubtful;
                row.state = DeliveryState::Begun;
                row.slot = Some((slot, Marked::Begun));
                return;
            }
            (BeginAnswer::Refused(why), Some(expected)) => assert_eq!(why, expected),
            (answer, expected) => panic!("{answer:?} instead of {expected:?}"),
        }
        row.claim = None;
        match expected {
            Some(Refusal::Unsubscribed) if doubtful => row.spent = true,
            Some(Refusal::Unsubscribed) => row.state = DeliveryState::Suppressed,
            _ => {}
        }
    }

    fn mark(&mut self, who: usize, from: Marked, to: Marked) {
        let fit = |row: &Row| row.slot.is_some_and(|(_, marked)| marked == from);
        let Some((id, claim)) = self.pick(who, fit) else { return };
        let (slot, _) = self.rows[&id].slot.unwrap();
        match to {
            Marked::Begun => {}
            Marked::Dot => self.sender().mark_dot(slot, id, claim.attempt).unwrap(),
            Marked::Replied => {
                self.sender().mark_replied(slot, id, claim.attempt, &Reply::new(250, "2.0.0 ok")).unwrap();
            }
        }
        self.rows.get_mut(&id).unwrap().slot = Some((slot, to));
    }

    fn settle(&mut self, who: usize, end: End) {
        let Some((id, claim)) = self.pick(who, |row| row.slot.is_some()) else { return };
        let outcome = match end {
            End::Accepted => accepted(),
            End::Deferred => deferred(60),
            End::Rejected => rejected(Suppress::No),
            End::InDoubt => in_doubt(),
            End::Withdrawn => withdrawn(),
        };
        let settled = settle_one(self.sender(), &claim, outcome);
        self.end(id, end);
        assert_eq!(settled, Settled::Recorded(self.rows[&id].state));
    }

    /// The model's own account of what an outcome does.
    fn end(&mut self, id: DeliveryId, end: End) {
        let cancelled = self.steered == Steered::Cancelled;
        let row = self.rows.get_mut(&id).unwrap();
        (row.claim, row.slot) = (None, None);
        let unsent = if cancelled { DeliveryState::Cancelled } else { DeliveryState::Planned };
        row.state = match end {
            End::Accepted => DeliveryState::Accepted,
            End::Rejected => DeliveryState::Rejected,
            End::InDoubt => {
                row.doubts += 1;
                DeliveryState::InDoubt
            }
            End::Deferred | End::Withdrawn if row.doubts > 0 => {
                row.spent = false;
                DeliveryState::InDoubt
            }
            End::Deferred if !cancelled => DeliveryState::Deferred,
            End::Deferred | End::Withdrawn => unsent,
        };
    }

    fn steer(&mut self, event: Event) {
        let ledger = &self.house.ledger;
        let result = match event {
            Event::Pause => ledger.pause(&self.id, "the test said so"),
            Event::Resume => ledger.resume(&self.id, at(6)),
            _ => ledger.cancel(&self.id, at(7)).map(|_| ()),
        };
        if self.finished() {
            assert!(matches!(result, Err(LedgerError::WrongState { .. })));
            return;
        }
        match (event, self.steered) {
            (Event::Pause, Steered::Open) => self.steered = Steered::Paused,
            (Event::Resume, Steered::Paused) => self.steered = Steered::Open,
            (Event::Cancel, _) => {
                self.steered = Steered::Cancelled;
                let unsent = [DeliveryState::Planned, DeliveryState::Deferred];
                for row in self.rows.values_mut().filter(|row| unsent.contains(&row.state)) {
                    row.state = DeliveryState::Cancelled;
                }
            }
            (_, Steered::Cancelled) => assert!(result.is_err()),
            _ => assert!(result.is_ok()),
        }
    }

    fn abandon(&mut self) {
        let doubtful = self.rows.values().filter(|row| row.state == DeliveryState::InDoubt).count();
        let which = Doubtful::Of(self.id.clone());
        let touched = self.house.ledger.resolve(&which, &Resolution::Abandon, at(8)).unwrap();
        assert_eq!(touched, doubtful as u64);
        for row in self.rows.values_mut().filter(|row| row.state == DeliveryState::InDoubt) {
            row.state = DeliveryState::Abandoned;
        }
    }

    fn crash(&mut self) {
        drop(self.sender.take());
        let (sender, recovery) = self.house.recovered(InDoubtPolicy::Resend);
        self.sender = Some(sender);
        let mut doubted = Vec::new();
        for id in self.rows.keys().copied().collect::<Vec<_>>() {
            match self.rows[&id].slot {
                Some((_, Marked::Begun)) => self.end(id, End::Withdrawn),
                Some((_, Marked::Dot)) => {
                    doubted.push(id);
                    self.end(id, End::InDoubt);
                }
                Some((_, Marked::Replied)) => self.end(id, End::Accepted),
                None => {
                    let row = self.rows.get_mut(&id).unwrap();
                    row.claim = None;
                }
            }
        }
        assert_eq!(recovery.in_doubt, doubted, "doubt is bounded by the dots that were marked");
    }

    fn compare(&self) {
        for (id, row) in &self.rows {
            let found = self.house.ledger.delivery(*id).unwrap().unwrap();
            assert_eq!((found.state, found.doubts), (row.state, row.doubts), "{id:?}");
        }
        let totals = self.house.ledger.totals(&self.id).unwrap();
        assert!(totals.balances());
        assert_eq!(totals.planned, self.rows.len() as u64);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_in_whatever_order_the_ledger_equals_the_model(events in prop::collection::vec(event(FEW), 1..100)) {
        let mut model = Model::new(FEW);
        for event in events {
            model.happen(event);
            model.compare();
        }
        model.house.sound();
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn five_hundred_actions_later_the_ledger_equals_the_model(events in prop::collection::vec(event(MANY), 500)) {
        let mut model = Model::new(MANY);
        for event in events {
            model.happen(event);
            model.compare();
        }
        model.house.sound();
    }
}
