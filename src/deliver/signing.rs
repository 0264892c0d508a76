//! Signing: on all cores, and behind everything else.
//!
//! A signature takes many times what all else about a message does. While cores are signing, the wire,
//! the ledger and a relay on the same machine need one for a moment, again and again. They go first:
//! each is done sooner and in one go, where turns of equal right would interrupt it, and signing loses
//! nothing by it.

use std::sync::LazyLock;

use rayon::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};

/// How far the threads step back, in steps of `nice`: their part is a tenth where others want a core.
#[cfg(target_os = "linux")]
const STEP_BACK: i32 = 10;

/// As many threads as cores, from the first signature to the end of the process.
static THREADS: LazyLock<ThreadPool> = LazyLock::new(|| {
    let threads = ThreadPoolBuilder::new().thread_name(|nth| format!("signer {nth}")).start_handler(|_| step_back());
    threads.build().expect("the system gives a thread for each core")
});

/// Does the same with each of them and returns the results in their order. Blocks until all is done;
/// another call meanwhile has the cores that find nothing more to do in this one.
pub(super) fn on_all_cores<T: Send, R: Send>(all: Vec<T>, work: impl Fn(T) -> R + Sync + Send) -> Vec<R> {
    // Handed out one by one: a thread whose core is taken away for a while keeps nobody waiting.
    THREADS.install(|| all.into_par_iter().with_max_len(1).map(work).collect())
}

/// On Linux a thread has a priority of its own; elsewhere this would slow the whole process. Where it
/// is refused, signing goes on with the others' priority.
fn step_back() {
    #[cfg(target_os = "linux")]
    rustix::process::nice(STEP_BACK).ok();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_the_order_of_what_was_given() {
        let given: Vec<u32> = (0..500).collect();
        assert_eq!(on_all_cores(given.clone(), |n| n), given);
        assert!(on_all_cores(Vec::<u32>::new(), |n| n).is_empty());
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn who_signs_lets_others_go_first_and_nobody_else_does() {
        let priority = |()| rustix::process::getpriority_process(None).unwrap();
        let before = priority(());
        let signing = on_all_cores(vec![(); 100], priority);
        assert_eq!(signing, [(before + STEP_BACK).min(19); 100]);
        assert_eq!(priority(()), before);
    }
}
