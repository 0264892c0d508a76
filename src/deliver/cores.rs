//! Which core the wire and the ledger work on.
//!
//! On a machine of two cores that also is the relay's, the relay needs one for itself. The scheduler
//! does not know that: it puts whoever wakes on the core that is idle just then. So now and again the
//! ledger's writer or a claim has the relay's core, the relay answers late, and soon everybody waits
//! for somebody. The wire's thread, the ledger's writer and the claims take turns anyway; kept on
//! one core they leave the other to the relay, and half as much of both is idle.

use std::sync::OnceLock;

use set::CoreSet;

/// What the process had before anybody was kept on one core.
struct All {
    cores: CoreSet,
    /// How many threads are worth having: a container may have less time than cores.
    threads: usize,
}

static ALL: OnceLock<Option<All>> = OnceLock::new();

/// The core that is left beside the relay's, if it is as above.
pub struct OneCore(Option<CoreSet>);

impl OneCore {
    /// Chooses the core that the calling thread is on, of two; of more or fewer none.
    pub fn of_two() -> Self {
        Self(all().filter(|all| all.cores.count() == 2).map(|_| CoreSet::of_the_present()))
    }

    /// None: everybody works where they find room.
    pub fn none() -> Self {
        Self(None)
    }

    /// Does the work on the core; every thread that it starts stays there. Afterwards the calling thread
    /// is where it was before. Where the system refuses, it is as if there were no core.
    pub fn hold<T>(&self, work: impl FnOnce() -> T) -> T {
        let before = CoreSet::of_this_thread().filter(|_| self.0.as_ref().is_some_and(CoreSet::keep_to)).map(Back);
        let done = work();
        drop(before);
        done
    }
}

/// Puts the thread back when it is dropped, be it by a panic.
struct Back(CoreSet);

impl Drop for Back {
    fn drop(&mut self) {
        self.0.keep_to();
    }
}

fn all() -> Option<&'static All> {
    let now = || {
        let threads = std::thread::available_parallelism().ok()?.get();
        Some(All { cores: CoreSet::of_this_thread()?, threads })
    };
    ALL.get_or_init(now).as_ref()
}

/// Lets the calling thread work on every core, whoever started it.
pub(super) fn spread() {
    all().map(|all| all.cores.keep_to());
}

/// How many threads have something of working on every core, even if the calling one is kept on one; 0
/// when nobody knows.
pub(super) fn threads() -> usize {
    all().map_or(0, |all| all.threads)
}

#[cfg(target_os = "linux")]
mod set {
    use rustix::thread::{CpuSet, sched_getaffinity, sched_getcpu, sched_setaffinity};

    /// Some of the machine's cores.
    #[derive(Debug, PartialEq)]
    pub(super) struct CoreSet(CpuSet);

    impl CoreSet {
        /// Where the calling thread may work.
        pub(super) fn of_this_thread() -> Option<Self> {
            sched_getaffinity(None).ok().map(Self)
        }

        /// The one that the calling thread is on.
        pub(super) fn of_the_present() -> Self {
            let mut one = CpuSet::new();
            one.set(sched_getcpu());
            Self(one)
        }

        pub(super) fn count(&self) -> usize {
            self.0.count() as usize
        }

        /// Keeps the calling thread to these, and those that it will start; whether the system does.
        pub(super) fn keep_to(&self) -> bool {
            sched_setaffinity(None, &self.0).is_ok()
        }
    }
}

/// Elsewhere threads go where the system puts them.
#[cfg(not(target_os = "linux"))]
mod set {
    pub(super) enum CoreSet {}

    impl CoreSet {
        pub(super) fn of_this_thread() -> Option<Self> {
            None
        }

        pub(super) fn of_the_present() -> Self {
            unreachable!("asked only where the cores are known")
        }

        pub(super) fn count(&self) -> usize {
            match *self {}
        }

        pub(super) fn keep_to(&self) -> bool {
            match *self {}
        }
    }
}

#[cfg(target_os = "linux")]
#[cfg(test)]
mod tests {
    use super::*;

    fn mine() -> usize {
        CoreSet::of_this_thread().unwrap().count()
    }

    #[test]
    fn what_is_held_and_all_that_it_starts_stays_on_one_core_and_what_spreads_does_not() {
        let (before, wanted) = (mine(), threads());
        let core = OneCore(Some(CoreSet::of_the_present()));
        core.hold(|| {
            assert_eq!(mine(), 1);
            std::thread::spawn(move || {
                assert_eq!((mine(), threads()), (1, wanted));
                spread();
                assert_eq!(mine(), before);
            })
            .join()
            .unwrap();
        });
        assert_eq!(mine(), before, "the hold ends");
        assert!(std::panic::catch_unwind(|| core.hold(|| panic!("on purpose"))).is_err());
        assert_eq!(mine(), before, "as it does by a panic");
    }

    #[test]
    fn of_two_cores_one_is_kept_and_of_others_none() {
        assert_eq!(OneCore::of_two().0.map(|one| one.count()), (mine() == 2).then_some(1));
        let before = mine();
        OneCore::none().hold(|| assert_eq!(mine(), before));
    }
}
