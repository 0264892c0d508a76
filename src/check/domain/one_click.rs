//! Whether one click can unsubscribe (RFC 8058): the address is reached by HTTPS and exists. That a
//! signature covers the headers is looked at where keys are.

use std::net::IpAddr;

use super::Findings;
use super::facts::Facts;
use crate::config::Config;
use crate::egress::{Answer, is_public};

/// Looks at the address that every List-Unsubscribe begins with.
pub(super) fn judge(config: &Config, facts: &Facts, out: &mut Findings) {
    let (url, place) = (&config.publication.base_url, &config.places.base_url);
    if !url.as_str().starts_with("https://") {
        let message =
            format!("unsubscribe links begin with `{}`, and one-click unsubscribing needs HTTPS", url.as_str());
        let help = "write base_url = \"https://…\": receivers want one click of who sends in bulk";
        out.error("one-click-https", place, message, help);
    }
    let host = url.host();
    let answer = match host.trim_matches(['[', ']']).parse::<IpAddr>() {
        Ok(ip) => &Answer::Records(vec![ip]),
        Err(_) => match facts.addresses(host) {
            Some(answer) => answer,
            None => return,
        },
    };
    match answer {
        Answer::Records(addresses) if addresses.iter().all(|ip| is_public(*ip)) => {
            out.found.push(format!("one-click: {}unsubscribe/… at {host}, which has an address", url.as_str()));
        }
        Answer::Records(_) => {
            let message = format!("`{host}` is an address that only your own network reaches: nobody can unsubscribe");
            out.warning("one-click-host", place, message, "publish the site's public address in DNS");
        }
        Answer::NoName | Answer::NoRecords => {
            let message = format!("`{host}` has no address: nobody can unsubscribe, and no page of the site opens");
            let help = format!("publish `{host}. A` with your web server's address, or correct `base_url`");
            out.error("one-click-host", place, message, help);
        }
        Answer::Unanswered(why) => out.unanswered(place, &format!("the address of `{host}`"), why),
    }
}
