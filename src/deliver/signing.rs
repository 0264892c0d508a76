//! Signing: on all cores, and behind everything else.
//!
//! A signature takes many times what all else about a message does. While cores are signing, the wire,
//! the ledger and a relay on the same machine need one for a moment, again and again. They go first, so
//! that each is done sooner and in one go, where turns of equal right would interrupt it.

use std::sync::LazyLock;

use rayon::{ThreadPool, ThreadPoolBuilder};

use super::cores;

/// How far the threads step back, in steps of `nice`: their part is a tenth where others want a core.
#[cfg(target_os = "linux")]
const STEP_BACK: i32 = 10;

/// As many threads as cores, from the first signature to the end of the process.
static THREADS: LazyLock<ThreadPool> = LazyLock::new(|| {
    let threads = ThreadPoolBuilder::new().num_threads(cores::threads()).thread_name(|nth| format!("signer {nth}"));
    let begin = |_| {
        cores::spread();
        step_back();
    };
    threads.start_handler(begin).build().expect("the system gives a thread for each core")
});

/// Does the same with each of them and returns the results in their order. Blocks until all is done.
/// What was given first is begun first; another call has the cores that find nothing more to begin in
/// this one.
pub(super) fn on_all_cores<T: Send, R: Send>(all: Vec<T>, work: impl Fn(T) -> R + Sync) -> Vec<R> {
    let mut results: Vec<Option<R>> = all.iter().map(|_| None).collect();
    // One by one: a thread whose core is taken away for a while keeps nobody waiting. Whoever waits is no
    // thread of the pool, which might begin with another call's part meanwhile.
    THREADS.in_place_scope_fifo(|scope| {
        for (one, result) in all.into_iter().zip(&mut results) {
            scope.spawn_fifo(|_| *result = Some(work(one)));
        }
    });
    results.into_iter().map(|result| result.expect("the scope ends when all is done")).collect()
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
    fn all_cores_sign_even_for_somebody_who_is_kept_on_one() {
        let cores = || std::thread::available_parallelism().unwrap().get();
        let all = cores();
        let sign = || on_all_cores(vec![(); 100], |()| (cores(), rayon::current_num_threads()));
        assert_eq!(cores::OneCore::of_two().hold(sign), [(all, all); 100]);
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
