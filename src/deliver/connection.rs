//! One connection to a relay: a chain of messages, or a window of them.
//!
//! Where the relay takes BDAT and the settings allow it, several messages are in flight at once.
//! Everywhere else the next message's envelope rides behind the last one's dot (RFC 2920), so
//! that a message costs one round trip and never more than one is in doubt.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

use super::queue::{Queue, Ready};
use super::transport::Route;
use super::worker::{Relation, Worker};
use crate::domain::policy::Event;
use crate::smtp::{self, Session};

/// How often a connection that is not needed looks whether it is again.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// Works until the queue is closed and empty.
pub(super) async fn run(worker: Worker, route: &Route, queue: &Queue) {
    let mut connection = Connection { worker, route, queue, session: None };
    let mut next = None;
    loop {
        if next.is_none() {
            connection.worker.let_it_rest().await;
            connection.wait_until_needed().await;
        }
        let taken = match next.take() {
            Some(ready) => Some(ready),
            None => queue.next().await,
        };
        let Some(ready) = taken else { break };
        next = match connection.worker.objection(Some(&ready)) {
            Some(why) => {
                connection.worker.withdraw(ready, why);
                None
            }
            None => connection.send(ready).await,
        };
    }
    connection.hang_up().await;
}

struct Connection<'a> {
    worker: Worker,
    route: &'a Route,
    queue: &'a Queue,
    /// Not within it, since it is taken out and put back for every message.
    session: Option<Box<Session>>,
}

impl Connection<'_> {
    /// Sends a message, and with a window all that follow at once. Returns the next one, if it
    /// was taken out of the queue and announced.
    async fn send(&mut self, ready: Ready) -> Option<Ready> {
        let mut session = match self.session().await {
            Ok(session) => session,
            Err(failure) => {
                self.worker.judge(ready, &failure.into_event(), Instant::now());
                return None;
            }
        };
        if session.window() > 1 {
            self.send_window(&mut session, ready).await;
            self.session = session.may_carry_another().then_some(session);
            return None;
        }
        let next = self.queue.try_next();
        let since = Instant::now();
        let event = self.transact(&mut session, &ready, next.as_ref()).await;
        let relation = self.worker.judge(ready, &event, since);
        if relation == Relation::GoesOn && session.is_usable() {
            self.session = Some(session);
        }
        next
    }

    /// Hangs up and waits while the relay's pace needs fewer connections.
    async fn wait_until_needed(&mut self) {
        while !self.worker.is_needed() && !self.worker.shared.is_stopping() && !self.queue.is_over() {
            if let Some(session) = self.session.take() {
                session.quit().await;
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }

    /// The open connection, or a new one if there is none, or the relay has closed it
    /// meanwhile, or it has carried as much as it may.
    async fn session(&mut self) -> Result<Box<Session>, smtp::Failure> {
        if let Some(mut session) = self.session.take() {
            if session.may_carry_another() && session.is_alive() {
                return Ok(session);
            }
            if session.is_usable() {
                session.quit().await;
            }
        }
        Session::connect(&self.route.settings, &self.route.tls).await.map(Box::new)
    }

    /// One transaction by DATA, with the envelope of the next one behind it.
    async fn transact(&self, session: &mut Session, ready: &Ready, next: Option<&Ready>) -> Event {
        let mark = || self.worker.mark_dot(ready);
        let message = ready.outgoing.sendable();
        let sent = match next {
            Some(next) => session.send_and_announce(&message, &next.outgoing.sendable(), mark).await,
            None => session.send(&message, mark).await,
        };
        smtp::event_of(sent)
    }

    /// Keeps as many messages in flight as the window and the queue allow, until the queue has
    /// no more, the connection may carry no more, or something stands against it.
    async fn send_window(&self, session: &mut Session, first: Ready) {
        let mut flight = VecDeque::new();
        let mut waiting = Some(first);
        loop {
            if let Some(ready) = waiting.take() {
                self.push(session, ready, &mut flight).await;
            }
            let may_push = session.may_carry_another() && self.worker.objection(None).is_none();
            if may_push && session.in_flight() < session.window() {
                waiting = self.queue.try_next();
                if waiting.is_some() {
                    continue;
                }
            }
            let Some((oldest, since)) = flight.pop_front() else { return };
            let event = smtp::event_of(session.pull().await);
            self.worker.judge(oldest, &event, since);
        }
    }

    /// Puts one message in flight. What could not be put there is judged at once.
    async fn push(&self, session: &mut Session, ready: Ready, flight: &mut VecDeque<(Ready, Instant)>) {
        let since = Instant::now();
        let pushed = session.push(&ready.outgoing.sendable(), || self.worker.mark_dot(&ready)).await;
        match pushed {
            Ok(()) => flight.push_back((ready, since)),
            Err(failure) => {
                self.worker.judge(ready, &failure.into_event(), since);
            }
        }
    }

    async fn hang_up(mut self) {
        if let Some(session) = self.session.take() {
            session.quit().await;
        }
    }
}
