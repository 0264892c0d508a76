//! How far a delivery run is: a bar on a terminal, a line now and then elsewhere.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::printer;
use crate::deliver::{Count, Tally};

/// How often a terminal's bar moves.
const FRAME: Duration = Duration::from_millis(100);
/// How often a line is printed where there is no terminal.
const LINE: Duration = Duration::from_secs(10);

/// A display that follows a run until it is dropped.
pub struct Progress {
    done: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Progress {
    /// Follows `tally` towards `total` deliveries.
    pub fn follow(tally: Arc<Tally>, total: u64) -> Self {
        let done = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&done);
        let thread = std::thread::spawn(move || {
            if printer::is_interactive() { draw(&tally, total, &flag) } else { narrate(&tally, total, &flag) }
        });
        Self { done, thread: Some(thread) }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.done.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            drop(thread.join());
        }
    }
}

fn draw(tally: &Tally, total: u64, done: &AtomicBool) {
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len}  {per_sec}  {eta} left  {msg}")
        .expect("the template is a constant that indicatif accepts");
    let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr()).with_style(style);
    while !done.load(Ordering::Relaxed) {
        let count = tally.read();
        bar.set_position(count.settled());
        bar.set_message(outcomes(count));
        std::thread::park_timeout(FRAME);
    }
    bar.finish_and_clear();
}

fn narrate(tally: &Tally, total: u64, done: &AtomicBool) {
    let start = Instant::now();
    loop {
        let line_due = Instant::now() + LINE;
        while Instant::now() < line_due {
            if done.load(Ordering::Relaxed) {
                return;
            }
            std::thread::park_timeout(line_due.saturating_duration_since(Instant::now()));
        }
        printer::say(&line(tally.read(), total, start.elapsed()));
    }
}

fn line(count: Count, total: u64, elapsed: Duration) -> String {
    let settled = count.settled();
    let per_second = settled / elapsed.as_secs().max(1);
    let left = total.saturating_sub(settled).checked_div(per_second);
    let eta = left.map_or_else(|| "unknown".to_owned(), |seconds| format!("{seconds} s"));
    format!(
        "{} of {} at {per_second}/s, {eta} left: {}",
        printer::thousands(settled),
        printer::thousands(total),
        outcomes(count)
    )
}

fn outcomes(count: Count) -> String {
    let mut parts = vec![format!("{} accepted", printer::thousands(count.accepted))];
    for (n, word) in [
        (count.deferred, "deferred"),
        (count.rejected, "rejected"),
        (count.in_doubt, "in doubt"),
        (count.excluded, "excluded"),
    ] {
        if n > 0 {
            parts.push(format!("{} {word}", printer::thousands(n)));
        }
    }
    parts.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_tells_rate_rest_and_outcomes() {
        let count = Count { accepted: 1_200, deferred: 3, ..Count::default() };
        assert_eq!(
            line(count, 10_000, Duration::from_secs(10)),
            "1,203 of 10,000 at 120/s, 73 s left: 1,200 accepted, 3 deferred"
        );
    }
}
