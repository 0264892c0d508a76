//! What DNS says of the sending domain: whether bounces come back, who may send, whether
//! signatures verify, what receivers are told to do, whether one click can unsubscribe.
//!
//! The verdicts are pure: they look at [`Facts`], and what they miss there is asked for; then all
//! of them are made again, until nothing is missing. What could not be asked is never missing.

mod dkim;
mod dmarc;
mod exchange;
mod facts;
mod one_click;
mod relay;
mod spf;
mod walk;

use crate::config::Config;
use crate::diagnostic::{Diagnostic, Place};
use crate::egress::{Resolver, Unanswered};
use facts::Facts;

/// What was found, and what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Findings {
    /// What is there, one line for each record.
    pub found: Vec<String>,
    /// What is wrong, at the settings it is about.
    pub diagnostics: Vec<Diagnostic>,
}

/// Asks DNS about the domain that mail is sent from, and about what the settings say of it.
pub async fn domain(config: &Config, resolver: &Resolver) -> Findings {
    let mut facts = Facts::default();
    loop {
        let findings = judged(config, &facts);
        if !facts.ask_what_is_missing(resolver).await {
            return findings;
        }
    }
}

/// Every verdict that the facts allow.
fn judged(config: &Config, facts: &Facts) -> Findings {
    let mut findings = Findings::default();
    exchange::judge(config, facts, &mut findings);
    spf::judge(config, facts, &mut findings);
    dkim::judge(config, facts, &mut findings);
    dmarc::judge(config, facts, &mut findings);
    one_click::judge(config, facts, &mut findings);
    findings
}

impl Findings {
    fn error(&mut self, code: &'static str, place: &Place, message: impl Into<String>, help: impl Into<String>) {
        self.say(Diagnostic::error(code, place.clone(), message).help(help));
    }

    fn warning(&mut self, code: &'static str, place: &Place, message: impl Into<String>, help: impl Into<String>) {
        self.say(Diagnostic::warning(code, place.clone(), message).help(help));
    }

    fn unanswered(&mut self, place: &Place, question: &str, why: &Unanswered) {
        let message = format!("{question} could not be asked: {why}");
        self.warning(
            "dns-unanswered",
            place,
            message,
            "ask again later; if it stays so, receivers may be told the same",
        );
    }

    /// Says something once: several verdicts look at the same records.
    fn say(&mut self, diagnostic: Diagnostic) {
        if !self.diagnostics.contains(&diagnostic) {
            self.diagnostics.push(diagnostic);
        }
    }
}

#[cfg(test)]
mod tests;
