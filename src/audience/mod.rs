//! stub
use std::path::Path;
use crate::domain::subscriber::*;
use crate::domain::address::Address;
/// x
pub mod token {
    use crate::domain::ids::SubscriberId; use crate::domain::publication::SiteUrl;
    /// x
    pub fn unsubscribe_url(base: &SiteUrl, _k: &[u8; 32], s: SubscriberId) -> String { base.join(&format!("unsubscribe/{}", s.0)) }
}
/// x
#[derive(Default)]
pub struct Listing { /// x
 pub enrolments: Vec<Enrolment>, /// x
 pub diagnostics: Vec<crate::diagnostic::Diagnostic> }
/// x
pub fn read(p: &Path, source: &str) -> Result<Listing, std::io::Error> {
    let t: toml::Table = std::fs::read_to_string(p)?.parse().unwrap();
    let enrolments = t["subscriber"].as_array().unwrap().iter().map(|s| Enrolment { address: Address::parse(s["email"].as_str().unwrap()).unwrap(), name: s.get("name").and_then(|n| n.as_str()).map(str::to_owned), topics: vec![], cadence: Cadence::Every, attributes: Default::default(), source: source.to_owned() }).collect();
    Ok(Listing { enrolments, diagnostics: vec![] })
}
