//! `test`: a copy for the author's own eyes.

use super::build;
use super::context::Context;
use super::exit::Exit;
use super::failure::Failure;
use super::printer;
use crate::campaign;
use crate::domain::address::Address;

/// Sends a post to named addresses; nothing is recorded.
pub fn run(context: &Context, post: &str, to: &[String]) -> Result<Exit, Failure> {
    let config = context.config_aloud()?;
    let ledger = context.ledger(&config)?;
    let prepared = build::prepare(context, &config, &ledger)?;
    let found = campaign::find_post(&prepared.posts, post).ok_or_else(|| Failure::Usage {
        message: format!("there is no post `{post}`"),
        help: Some("name a post by its slug, its source file or its id".to_owned()),
    })?;
    let addresses = addresses(to)?;
    let runtime = super::publish::runtime()?;
    let clock = context.environment.clock();
    let (place, warnings) = runtime.block_on(campaign::send_test(&prepared, &ledger, found, &addresses, clock))?;
    printer::diagnostics(&warnings);
    printer::say(&format!(
        "sent \"{}\" as a test, {} by {place}",
        found.title,
        printer::count(addresses.len(), "mail")
    ));
    Ok(Exit::Done)
}

fn addresses(to: &[String]) -> Result<Vec<Address>, Failure> {
    to.iter().map(|text| Address::parse(text).map_err(|error| Failure::usage(format!("`{text}`: {error}")))).collect()
}
