//! One file per verb, and the only printer.
//!
//! A verb gets a `Context` and returns an `Exit` or a `Failure`; what it prints goes
//! through `printer`. Exit codes are decided in `exit` and `failure` alone.

mod args;
mod at_work;
mod build;
mod campaigns;
mod check;
mod completions;
mod context;
mod exit;
mod exposition;
mod failure;
mod init;
mod keys;
mod metrics;
mod new;
mod plan;
mod preview;
mod printer;
mod progress;
mod publish;
mod report;
mod state;
mod status;
mod subscribers;
mod test;

use std::process::ExitCode;

use clap::Parser;

use crate::config::Environment;
use crate::egress::Reach;
use args::{Arguments, State, Verb};
use context::Context;
use exit::Exit;
use failure::Failure;

/// Runs the command line and returns its exit code.
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let result = Environment::read().map_err(|error| Failure::usage(error.to_string())).and_then(|environment| {
        let format = if arguments.json { printer::Format::Json } else { printer::Format::Text };
        let directory = std::fs::canonicalize(&arguments.directory)
            .map_err(|error| Failure::usage(format!("`{}`: {error}", arguments.directory.display())))?;
        run(arguments.verb, &Context { directory, format, environment })
    });
    let exit = result.unwrap_or_else(Failure::explain);
    exit.into()
}

fn run(verb: Verb, context: &Context) -> Result<Exit, Failure> {
    match verb {
        Verb::Init { folder } => init::run(context, folder),
        Verb::New { title } => new::run(context, &title),
        Verb::Check { fix, links, private, dns, strict } => {
            let reach = links.then_some(if private { Reach::Anywhere } else { Reach::Public });
            check::run(context, check::Manner::of(fix, check::Asking { links: reach, dns }, strict))
        }
        Verb::Build => build::run(context),
        Verb::Preview { port, open } => {
            preview::run(context, port, if open { preview::Browser::Open } else { preview::Browser::Leave })
        }
        Verb::Plan(selection) => plan::run(context, &selection),
        Verb::Publish { selection, how } => publish::run(context, &selection, &publish::Manner::of(how)),
        Verb::Test { post, to } => test::run(context, &post, &to),
        Verb::Status => status::run(context),
        Verb::Report { campaign, csv } => report::run(context, campaign.as_deref(), report::Shape::of(csv, context)),
        Verb::Pause { campaign } => campaigns::pause(context, &campaign),
        Verb::Resume { campaign } => campaigns::resume(context, &campaign),
        Verb::Cancel { campaign } => campaigns::cancel(context, &campaign),
        Verb::Retry { campaign } => campaigns::retry(context, &campaign),
        Verb::Resolve { campaign, decision, address, evidence } => {
            campaigns::resolve(context, &campaign, &campaigns::resolution(decision, evidence)?, address.as_deref())
        }
        Verb::Subscribers(verb) => subscribers::run(context, verb),
        Verb::Keys(verb) => keys::run(context, verb),
        Verb::State(State::Verify) => state::verify(context),
        Verb::State(State::Accept) => state::accept(context),
        Verb::Completions { shell } => {
            printer::bytes(&completions::script(shell));
            Ok(Exit::Done)
        }
        Verb::Man => {
            printer::bytes(&completions::manual().map_err(|error| Failure::usage(error.to_string()))?);
            Ok(Exit::Done)
        }
    }
}
