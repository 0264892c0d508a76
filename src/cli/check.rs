//! `check`: everything that is wrong or could be better, and the repair of what needs no judgement.

use serde_json::json;

use super::build;
use super::context::Context;
use super::exit::Exit;
use super::failure::Failure;
use super::printer::{self, Format};
use crate::campaign::{self, Prepared};
use crate::check::{self, Findings};
use crate::config::Config;
use crate::content::Look;
use crate::diagnostic::{Diagnostic, has_errors};
use crate::egress::{Reach, Resolver};

/// What `check` does about what it finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// Says it.
    Report,
    /// Repairs what it can, then says what is left.
    Repair,
}

/// What makes `check` fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Failing {
    Errors,
    Warnings,
}

/// Who is asked over the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asking {
    /// Where to ask about links to other sites; `None`: nowhere.
    pub links: Option<Reach>,
    /// Whether DNS is asked about the sending domain.
    pub dns: bool,
}

/// How to check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Manner {
    mode: Mode,
    asking: Asking,
    failing: Failing,
}

impl Manner {
    /// The manner that the flags ask for.
    pub fn of(fix: bool, asking: Asking, strict: bool) -> Self {
        Self {
            mode: if fix { Mode::Repair } else { Mode::Report },
            asking,
            failing: if strict { Failing::Warnings } else { Failing::Errors },
        }
    }
}

/// Checks configuration, posts, mails, templates, lists and what a build would place.
pub fn run(context: &Context, manner: Manner) -> Result<Exit, Failure> {
    let (config, mut diagnostics) = context.config()?;
    let ledger = context.ledger(&config)?;
    if manner.mode == Mode::Repair {
        let prepared = build::prepare(context, &config, &ledger)?;
        for file in check::repair_mojibake(&config.root, &prepared.diagnostics)? {
            printer::say(&format!("repaired {}", file.display()));
        }
    }
    let known = ledger.known_posts()?;
    let prepared = campaign::prepare(&config, known, context.now(), Look::Check).map_err(Failure::Wrong)?;
    diagnostics.extend(prepared.diagnostics.iter().cloned());
    diagnostics.extend(campaign::foresee(&prepared)?.diagnostics);
    diagnostics.extend(advice(&prepared));
    if let Some(reach) = manner.asking.links {
        diagnostics.extend(super::publish::runtime()?.block_on(check::links(&prepared.outbound, reach)));
    }
    let domain = manner.asking.dns.then(|| domain(&config)).transpose()?;
    diagnostics.extend(domain.iter().flat_map(|findings| findings.diagnostics.clone()));
    let diagnostics = check::silence(diagnostics, &config.root, &config.silences);
    show(context, &prepared, &diagnostics, domain.as_ref());
    let fails = match manner.failing {
        Failing::Errors => has_errors(&diagnostics),
        Failing::Warnings => !diagnostics.is_empty(),
    };
    Ok(if fails { Exit::Invalid } else { Exit::Done })
}

/// What could be better beyond one post's text.
fn advice(prepared: &Prepared) -> Vec<Diagnostic> {
    let config = prepared.config;
    let (posts, texts, site) = (prepared.public_posts(), &prepared.texts, prepared.site());
    let mut found = check::posts(&posts, texts, &prepared.theme, &site, config.mail_pictures);
    let templates = config.templates.as_deref().map(check::templates).unwrap_or_default();
    found.extend(templates.into_iter().map(|one| one.relative_to(&config.root)));
    found
}

/// What DNS says of the sending domain.
fn domain(config: &Config) -> Result<Findings, Failure> {
    let resolver = config.resolver.map_or_else(Resolver::system, Resolver::at).map_err(|error| Failure::Usage {
        message: error.to_string(),
        help: Some("name a DNS server in fieldpost.toml: `[check]`, and below it resolver = \"9.9.9.9\"".to_owned()),
    })?;
    let mut findings = super::publish::runtime()?.block_on(check::domain(config, &resolver));
    findings.diagnostics = findings.diagnostics.into_iter().map(|one| one.relative_to(&config.root)).collect();
    Ok(findings)
}

fn show(context: &Context, prepared: &Prepared, diagnostics: &[Diagnostic], domain: Option<&Findings>) {
    match context.format {
        Format::Json => {
            let mut shown = json!({"diagnostics": diagnostics.iter().map(Diagnostic::to_json).collect::<Vec<_>>()});
            if let Some(findings) = domain {
                shown["dns"] = json!(findings.found);
            }
            printer::json(&shown);
        }
        Format::Text => {
            domain.iter().flat_map(|findings| &findings.found).for_each(|line| printer::say(line));
            printer::diagnostics(diagnostics);
            if diagnostics.is_empty() {
                printer::say(&format!("{}, nothing to complain about", printer::count(prepared.posts.len(), "post")));
            }
        }
    }
}
