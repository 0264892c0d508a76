//! What a template may cost. A theme is the author's own file, but a slip in a loop must end
//! in an error, not in a full disk or a machine out of memory.

use std::cell::Cell;
use std::io::{self, Write};

use tera::{Error, Kwargs, State, TeraResult};

/// The steps that all `range()` calls of one render may take together.
const STEPS: i128 = 100_000;

/// The largest output of one template, in bytes: ten times the index of 10,000 posts.
const OUTPUT: usize = 32 * 1024 * 1024;

thread_local! {
    static STEPS_LEFT: Cell<i128> = const { Cell::new(STEPS) };
}

/// Runs one render into memory with fresh limits.
pub(super) fn bounded(render: impl FnOnce(&mut Output) -> TeraResult<()>) -> TeraResult<String> {
    STEPS_LEFT.set(STEPS);
    let mut output = Output { bytes: Vec::with_capacity(16 * 1024) };
    render(&mut output)?;
    Ok(String::from_utf8(output.bytes).expect("templates and values are text"))
}

/// The output of a template, refused when it grows beyond all reason.
pub(super) struct Output {
    bytes: Vec<u8>,
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.bytes.len() + bytes.len() > OUTPUT {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// `range(start, end, step_by)` as Tera has it, but all calls of a render share one budget:
/// nested loops would multiply without it.
#[allow(clippy::needless_pass_by_value)] // the signature Tera calls
pub(super) fn range(arguments: Kwargs, _: &State) -> TeraResult<Vec<i128>> {
    let start = arguments.get::<i128>("start")?.unwrap_or_default();
    let end = arguments.must_get::<i128>("end")?;
    let step = arguments.get::<i128>("step_by")?.unwrap_or(1);
    if step <= 0 {
        return Err(Error::message("`range` needs a `step_by` above 0"));
    }
    let steps = end.saturating_sub(start).max(0) / step;
    let left = STEPS_LEFT.get().saturating_sub(steps.saturating_add(1));
    if left < 0 {
        return Err(Error::message(format!("the `range` calls of one template may take {STEPS} steps together")));
    }
    STEPS_LEFT.set(left);
    let step = usize::try_from(step).map_err(|_| Error::message("`range` got a `step_by` out of range"))?;
    Ok((start..end).step_by(step).collect())
}
