//! Records outcomes: what the lanes have brought while the last commit was synced goes to the
//! ledger in one piece, so that nobody is woken for each message. As long as nobody waits for them,
//! outcomes wait for company: when signing or the pace sets the speed, a commit for every few of
//! them would cost more than the sending. After a kill, replies to a dot that were not recorded stand
//! in the marks, and what ended before its dot is tried again.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, OwnedSemaphorePermit, mpsc};

use super::{InHand, Shared};
use crate::ledger::Settle;

/// So many outcomes are recorded in one piece.
const MOST: usize = 512;
/// How long an outcome waits at most for others, and for somebody who wants it recorded.
const LINGER: Duration = Duration::from_millis(50);

/// An attempt that has ended, with what it holds until its outcome is durable.
pub(super) struct Ended {
    pub settle: Settle,
    pub held: (OwnedSemaphorePermit, InHand),
}

/// Records until every lane is gone and nothing is left. Ring `shared.wanted` when outcomes are to
/// be recorded without delay.
pub(super) async fn run(shared: Arc<Shared>, mut ended: mpsc::UnboundedReceiver<Ended>) {
    let mut batch = Vec::new();
    while gather(&mut ended, &mut batch, &shared.wanted).await {
        let (settles, held): (Vec<_>, Vec<_>) = batch.drain(..).map(|one| (one.settle, one.held)).unzip();
        if let Err(error) = shared.sender.settle(settles, shared.clock.now()).await {
            shared.break_off(error.into());
        }
        drop(held);
        shared.settled.notify_one();
    }
}

/// Waits for outcomes, then for more of them; `false` when none is left and none will come. Whoever
/// rang before is served with the first that comes.
async fn gather<T>(ended: &mut mpsc::UnboundedReceiver<T>, batch: &mut Vec<T>, wanted: &Notify) -> bool {
    if ended.recv_many(batch, MOST).await == 0 {
        return false;
    }
    // Nobody is woken for those that come meanwhile.
    if batch.len() < MOST {
        drop(tokio::time::timeout(LINGER, wanted.notified()).await);
    }
    while batch.len() < MOST
        && let Ok(one) = ended.try_recv()
    {
        batch.push(one);
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn outcomes_wait_for_company_as_long_as_nobody_wants_them() {
        let (lane, mut ended) = mpsc::unbounded_channel();
        let (mut batch, wanted) = (Vec::new(), Notify::new());
        lane.send(1).unwrap();
        let company = async { lane.send(2).unwrap() };
        let (more, ()) = tokio::join!(gather(&mut ended, &mut batch, &wanted), company);
        assert!(more);
        assert_eq!(batch, [1, 2]);
    }

    #[tokio::test]
    async fn who_wants_them_waits_for_no_company() {
        let (lane, mut ended) = mpsc::unbounded_channel();
        let (mut batch, wanted) = (Vec::new(), Notify::new());
        wanted.notify_one();
        lane.send(1).unwrap();
        let company = async { lane.send(2).unwrap() };
        tokio::join!(gather(&mut ended, &mut batch, &wanted), company);
        assert_eq!(batch, [1], "whoever rings early is heard");
    }

    #[tokio::test]
    async fn as_many_as_fit_into_one_piece_wait_for_nobody() {
        let (lane, mut ended) = mpsc::unbounded_channel();
        let (mut batch, wanted) = (Vec::new(), Notify::new());
        (0..=MOST).for_each(|n| lane.send(n).unwrap());
        tokio::select! {
            biased;
            more = gather(&mut ended, &mut batch, &wanted) => assert!(more),
            () = std::future::ready(()) => panic!("it waits"),
        }
        assert_eq!(batch.len(), MOST);
    }

    #[tokio::test]
    async fn when_the_lanes_have_gone_what_is_left_is_recorded_before_the_end() {
        let (lane, mut ended) = mpsc::unbounded_channel();
        lane.send(1).unwrap();
        drop(lane);
        let (mut batch, wanted) = (Vec::new(), Notify::new());
        assert!(gather(&mut ended, &mut batch, &wanted).await);
        assert_eq!(batch, [1]);
        assert!(!gather(&mut ended, &mut batch, &wanted).await);
    }
}
