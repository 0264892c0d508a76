//! stub
use super::{context::Context, exit::Exit, failure::Failure};
pub fn run(_: &Context, _: super::args::Subscribers) -> Result<Exit, Failure> {
    Ok(Exit::Done)
}
