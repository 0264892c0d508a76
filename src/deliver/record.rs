//! Records outcomes: what the lanes have brought while the last commit was synced goes to the
//! ledger in one piece, so that nobody is woken for each message.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, mpsc};

use super::relays::Load;
use super::{InHand, Shared};
use crate::ledger::Settle;

/// So many outcomes are recorded in one piece.
const MOST: usize = 512;

/// An attempt that has ended, with what it holds until its outcome is durable.
pub(super) struct Ended {
    pub settle: Settle,
    pub held: (OwnedSemaphorePermit, Load, InHand),
}

/// Records until every lane is gone and nothing is left.
pub(super) async fn run(shared: Arc<Shared>, mut ended: mpsc::UnboundedReceiver<Ended>) {
    let mut batch = Vec::new();
    while ended.recv_many(&mut batch, MOST).await > 0 {
        let (settles, held): (Vec<_>, Vec<_>) = batch.drain(..).map(|one| (one.settle, one.held)).unzip();
        if let Err(error) = shared.sender.settle(settles, shared.clock.now()).await {
            shared.break_off(error.into());
        }
        drop(held);
        shared.settled.notify_one();
    }
}
