//! Whether bounces find their way back: the mail exchanges of the sender's domain (RFC 5321, 5.1).

use super::Findings;
use super::facts::Facts;
use crate::config::Config;
use crate::diagnostic::Place;
use crate::egress::{Answer, Exchange};

/// Mail to the sender's domain must arrive: many receivers refuse mail nobody could answer.
pub(super) fn judge(config: &Config, facts: &Facts, out: &mut Findings) {
    let (domain, place) = (config.publication.from.address.domain(), &config.places.from);
    match facts.exchanges(domain) {
        None => {}
        Some(Answer::Records(exchanges)) => arriving(domain, exchanges, facts, place, out),
        Some(Answer::NoName) => {
            let message = format!("there is no domain `{domain}` in DNS: receivers refuse mail from it");
            out.error("domain-missing", place, message, "register the domain, or correct `[mail] from`");
        }
        Some(Answer::NoRecords) => by_address(domain, facts, place, out),
        Some(Answer::Unanswered(why)) => out.unanswered(place, &format!("the MX of `{domain}`"), why),
    }
}

fn arriving(domain: &str, exchanges: &[Exchange], facts: &Facts, place: &Place, out: &mut Findings) {
    if exchanges.iter().any(|exchange| exchange.host.is_empty()) {
        let message = format!("`{domain}` takes no mail (its MX is `.`): no bounce can come back");
        let help = format!("publish the server that takes its mail: `{domain}. MX 10 mail.{domain}.`");
        return out.error("mx-missing", place, message, help);
    }
    let (mut dead, mut alive) = (Vec::new(), 0);
    for Exchange { host, .. } in exchanges {
        match facts.addresses(host) {
            None => return,
            Some(Answer::Records(_)) => alive += 1,
            Some(Answer::NoName | Answer::NoRecords) => dead.push(format!("`{host}`")),
            Some(Answer::Unanswered(why)) => {
                out.unanswered(place, &format!("the address of `{host}`, which takes the mail of `{domain}`"), why);
                alive += 1;
            }
        }
    }
    let hosts: Vec<&str> = exchanges.iter().map(|exchange| exchange.host.as_str()).collect();
    out.found.push(format!("MX {domain}: {}", hosts.join(", ")));
    if dead.is_empty() {
        return;
    }
    let message = format!("{} should take the mail of `{domain}`, and has no address", dead.join(" and "));
    let help = "publish an A or AAAA record for it, or take it out of the MX";
    if alive == 0 { out.error("mx-dead", place, message, help) } else { out.warning("mx-dead", place, message, help) }
}

/// Without an MX the domain's own address takes its mail.
fn by_address(domain: &str, facts: &Facts, place: &Place, out: &mut Findings) {
    match facts.addresses(domain) {
        None => {}
        Some(Answer::Records(_)) => out.found.push(format!("MX {domain}: none; its own address takes the mail")),
        Some(Answer::NoName | Answer::NoRecords) => {
            let message = format!("`{domain}` has neither MX nor address: no bounce can come back");
            let help = format!("publish the server that takes its mail: `{domain}. MX 10 mail.{domain}.`");
            out.error("mx-missing", place, message, help);
        }
        Some(Answer::Unanswered(why)) => out.unanswered(place, &format!("the address of `{domain}`"), why),
    }
}
