//! Each verdict on a world made up of a few records.

use std::path::Path;

use super::*;
use crate::config::{Environment, FILE_NAME};

const RELAY: &str = "[[relay]]\nurl = \"smtps://mail.example.org\"\n";

/// A publication that sends from example.org.
struct Site(tempfile::TempDir);

impl Site {
    fn new(rest: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let head = "[publication]\ntitle = \"T\"\nbase_url = \"https://notes.example.org\"\n[mail]\nfrom = \"T <t@example.org>\"\n";
        std::fs::write(folder.path().join(FILE_NAME), format!("{head}{rest}")).unwrap();
        Self(folder)
    }

    /// With the Ed25519 key of RFC 8463, signing for a domain.
    fn signing(domain: &str) -> Self {
        let site = Self::new(&format!("[[dkim]]\nselector = \"fp\"\nkey_file = \"k.pem\"\ndomain = \"{domain}\"\n"));
        let file = site.path().join("k.pem");
        crate::files::create_secret(&file, include_bytes!("../../dkim/samples/rfc8463.pem")).unwrap();
        site
    }

    fn from(address: &str, signing: &str) -> Self {
        let site = Self::signing(signing);
        let file = site.path().join(FILE_NAME);
        let text = std::fs::read_to_string(&file).unwrap().replace("t@example.org", address);
        std::fs::write(file, text).unwrap();
        site
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn config(&self) -> Config {
        Config::load(self.path(), &Environment::default()).unwrap().0
    }

    /// The findings in a world where nothing is but these facts.
    fn findings(&self, mut facts: Facts) -> Findings {
        let config = self.config();
        loop {
            let findings = judged(&config, &facts);
            if !facts.deny_what_is_missing() {
                return findings;
            }
        }
    }

    #[track_caller]
    fn expect(&self, facts: Facts, codes: &[&str]) -> Findings {
        let findings = self.findings(facts);
        let found: Vec<&str> = findings.diagnostics.iter().map(|one| one.code).collect();
        assert_eq!(found, codes, "{:#?}", findings.diagnostics);
        assert!(findings.diagnostics.iter().all(|one| one.place.line > 0 && one.help.is_some()));
        findings
    }
}

const OUR_KEY: &str = "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";

/// A domain with nothing wrong.
fn sound() -> Facts {
    Facts::default()
        .exchange_is("example.org", "mail.example.org")
        .addresses_are("mail.example.org", &["1.2.3.4"])
        .texts_are("example.org", &["google-site-verification=x", "v=spf1 mx -all"])
        .texts_are("fp._domainkey.example.org", &[OUR_KEY])
        .texts_are("_dmarc.example.org", &["v=DMARC1; p=reject; rua=mailto:d@example.org"])
        .addresses_are("notes.example.org", &["1.2.3.5"])
}

fn spf(record: &str) -> Facts {
    sound().texts_are("example.org", &[record])
}

#[test]
fn a_sound_domain_has_everything_found_and_nothing_said() {
    let findings = Site::signing("example.org").expect(sound(), &[]);
    assert_eq!(
        findings.found,
        [
            "MX example.org: mail.example.org",
            "SPF example.org: v=spf1 mx -all (1 of 10 look-ups)",
            "DKIM fp._domainkey.example.org: our Ed25519 key",
            "DMARC example.org: v=DMARC1; p=reject; rua=mailto:d@example.org",
            "one-click: https://notes.example.org/unsubscribe/… at notes.example.org, which has an address",
        ]
    );
}

#[test]
fn bounces_need_somebody_to_take_them() {
    let site = Site::new("");
    site.expect(sound().exchange_is("example.org", ""), &["mx-missing"]);
    let dead = site.expect(sound().exchange_is("example.org", "gone.example"), &["mx-dead"]);
    assert!(crate::diagnostic::has_errors(&dead.diagnostics));
    let by_address = spf("v=spf1 a -all").addresses_are("example.org", &["1.2.3.4"]).no_exchange("example.org");
    site.expect(by_address, &[]);
    site.expect(spf("v=spf1 -all").no_exchange("example.org"), &["mx-missing"]);
    site.expect(spf("v=spf1 -all").no_domain("example.org"), &["domain-missing"]);
}

#[test]
fn a_missing_spf_record_comes_with_the_one_to_publish() {
    let without = || sound().texts_are("example.org", &["x"]);
    let help = |rest: &str| Site::new(rest).findings(without()).diagnostics[0].help.clone().unwrap();
    assert!(help("").starts_with("publish `example.org. TXT \"v=spf1 mx ~all\"`"));
    assert!(help(RELAY).contains("\"v=spf1 a:mail.example.org ~all\""));
    assert!(help("[[relay]]\nurl = \"smtps://1.2.3.4\"\n").contains("\"v=spf1 ip4:1.2.3.4 ~all\""));
    assert!(help("[[relay]]\nurl = \"smtps://smtp.fastmail.com\"\n").contains("include:spf.messagingengine.com"));
}

#[test]
fn an_spf_record_that_receivers_do_not_take_is_an_error() {
    let site = Site::new("");
    site.expect(sound().texts_are("example.org", &["v=spf1 -all", "v=spf1 mx -all"]), &["spf-several"]);
    let syntax = site.expect(spf("v=spf1 ipv4:1.2.3.4 -all"), &["spf-syntax"]);
    assert!(syntax.diagnostics[0].message.contains("`ipv4:1.2.3.4`"));
    site.expect(spf("v=spf1 mx +all"), &["spf-open"]);
    site.expect(spf("v=spf1 all"), &["spf-open"]);
    site.expect(spf("v=spf1 mx ?all"), &["spf-all"]);
    site.expect(spf("v=spf1 mx"), &["spf-all"]);
    site.expect(spf("v=spf1 ~all mx"), &["spf-all"]);
}

#[test]
fn look_ups_are_counted_through_every_include_and_redirect() {
    let chain = |length: usize| {
        let record = |n: usize| {
            let next = if n < length { format!("include:s{}.example", n + 1) } else { String::new() };
            format!("v=spf1 {next} ~all")
        };
        (1..=length).fold(spf("v=spf1 include:s1.example -all"), |facts, n| {
            facts.texts_are(&format!("s{n}.example"), &[&record(n)])
        })
    };
    let site = Site::new("");
    site.expect(chain(10), &[]);
    let eleven = site.expect(chain(11), &["spf-lookups"]);
    assert!(eleven.diagnostics[0].message.contains("needs 11 look-ups"));
    let redirected =
        spf("v=spf1 redirect=b.example").texts_are("b.example", &["v=spf1 ptr exists:x.example a mx -all"]);
    let redirected = redirected.addresses_are("b.example", &["1.1.1.1"]).exchange_is("b.example", "mail.example.org");
    site.expect(redirected, &[]);
}

#[test]
fn an_include_that_leads_nowhere_or_back_is_an_error() {
    let site = Site::new("");
    site.expect(spf("v=spf1 include:b.example -all"), &["spf-include"]);
    let back = spf("v=spf1 include:b.example -all").texts_are("b.example", &["v=spf1 include:example.org -all"]);
    let back = site.expect(back, &["spf-include"]);
    assert!(back.diagnostics[0].message.contains("leads back to itself"));
    site.expect(spf("v=spf1 a:x.example a:y.example a:z.example -all"), &["spf-void"]);
    site.expect(spf("v=spf1 redirect=b.example"), &["spf-include", "spf-all"]);
}

#[test]
fn the_relay_must_be_among_those_that_the_record_names() {
    let site = Site::new(RELAY);
    site.expect(sound(), &["dkim-unsigned"]);
    let missing = site.expect(spf("v=spf1 ip4:9.9.9.0/24 -all"), &["spf-relay", "dkim-unsigned"]);
    assert!(missing.diagnostics[0].help.as_deref().unwrap().starts_with("add `a:mail.example.org` before `all`"));
    for named in ["ip4:1.2.3.0/24", "a:mail.example.org", "mx", "include:b.example", "exists:%{i}.b.example"] {
        let facts = spf(&format!("v=spf1 {named} -all")).texts_are("b.example", &["v=spf1 ip4:1.2.3.4 ~all"]);
        site.expect(facts, &["dkim-unsigned"]);
    }
    let provider = Site::new("[[relay]]\nurl = \"smtps://smtp.fastmail.com\"\n");
    provider.expect(sound(), &["spf-relay", "dkim-unsigned"]);
    let includes =
        spf("v=spf1 include:spf.messagingengine.com -all").texts_are("spf.messagingengine.com", &["v=spf1 -all"]);
    provider.expect(includes, &["dkim-unsigned"]);
    Site::new("[[relay]]\nurl = \"smtp://localhost\"\n").expect(sound(), &["dkim-unsigned"]);
    Site::new("[[relay]]\nurl = \"smtps://email-smtp.eu-west-1.amazonaws.com\"\n").expect(sound(), &[]);
}

#[test]
fn the_key_that_signs_is_the_one_that_dns_has() {
    let site = Site::signing("example.org");
    let key = |records: &[&str]| sound().texts_are("fp._domainkey.example.org", records);
    let missing = site.expect(key(&[]).no_domain("fp._domainkey.example.org"), &["dkim-missing"]);
    assert!(missing.diagnostics[0].help.as_deref().unwrap().contains(OUR_KEY));
    assert_eq!((missing.diagnostics[0].place.line, missing.diagnostics[0].place.column), (7, 12));
    site.expect(key(&["v=DKIM1; k=ed25519; p="]), &["dkim-revoked"]);
    site.expect(key(&["v=DKIM1; k=ed25519; p=AAAA"]), &["dkim-other-key"]);
    site.expect(key(&["v=DKIM1; k=rsa"]), &["dkim-syntax"]);
    site.expect(key(&[OUR_KEY, "v=DKIM1; p="]), &["dkim-several"]);
    site.expect(key(&[&format!("{OUR_KEY}; t=y")]), &["dkim-testing"]);
    site.expect(key(&[&format!("{OUR_KEY}; h=sha1")]), &["dkim-forbidden"]);
}

#[test]
fn a_policy_is_found_at_the_domain_or_above_it() {
    let site = Site::new("");
    let policy = |record: &str| sound().texts_are("_dmarc.example.org", &[record]);
    let missing = site.expect(policy("x"), &["dmarc-missing"]);
    assert!(missing.diagnostics[0].help.as_deref().unwrap().contains("`_dmarc.example.org. TXT \"v=DMARC1; p=none;"));
    site.expect(policy("v=DMARC1; p=none"), &["dmarc-idle"]);
    site.expect(policy("v=DMARC1; p=none; rua=mailto:d@example.org"), &[]);
    site.expect(policy("v=DMARC1; p=maybe"), &["dmarc-syntax"]);
    site.expect(policy("v=DMARC1; rua"), &["dmarc-syntax"]);
    site.expect(policy("v=DMARC1; p=reject; rua=d@example.org"), &["dmarc-syntax"]);
    site.expect(policy("v=DMARC1; p=reject; pct=20"), &["dmarc-trial"]);
    site.expect(policy("v=DMARC1; p=reject; rua=mailto:a@reports.example"), &["dmarc-reports"]);
    let consent = policy("v=DMARC1; p=reject; rua=mailto:a@reports.example!10m")
        .texts_are("example.org._report._dmarc.reports.example", &["v=DMARC1"]);
    site.expect(consent, &[]);
    site.expect(
        sound().texts_are("_dmarc.example.org", &["v=DMARC1; p=none", "v=DMARC1; p=reject"]),
        &["dmarc-several", "dmarc-missing"],
    );
}

#[test]
fn a_signature_of_another_organisation_does_not_count() {
    let news = |signing: &str| Site::from("t@news.example.org", signing);
    let world = || {
        sound().exchange_is("news.example.org", "mail.example.org").texts_are("news.example.org", &["v=spf1 mx -all"])
    };
    let above = news("example.org").expect(world(), &[]);
    assert!(above.found.iter().any(|line| line.starts_with("DMARC example.org: ")), "{:?}", above.found);
    let strict = world().texts_are("_dmarc.example.org", &["v=DMARC1; p=reject; adkim=s"]);
    news("example.org").expect(strict, &["dmarc-alignment"]);
    let apart = world().texts_are("_dmarc.news.example.org", &["v=DMARC1; p=reject; psd=n"]);
    news("example.org").expect(apart, &["dmarc-alignment"]);
    let suffix = world()
        .texts_are("_dmarc.example.org", &["v=DMARC1; p=none; rua=mailto:d@example.org; psd=y"])
        .texts_are("_dmarc.news.example.org", &["v=DMARC1; p=reject"]);
    news("example.org").expect(suffix, &["dmarc-alignment"]);
}

#[test]
fn one_click_needs_https_and_an_address() {
    let site = Site::new("");
    site.expect(sound().addresses_are("notes.example.org", &["10.0.0.1"]), &["one-click-host"]);
    site.expect(sound().no_domain("notes.example.org"), &["one-click-host"]);
    let file = site.path().join(FILE_NAME);
    std::fs::write(&file, std::fs::read_to_string(&file).unwrap().replace("https:", "http:")).unwrap();
    site.expect(sound(), &["one-click-https"]);
}

#[test]
fn what_could_not_be_asked_is_not_missing() {
    let site = Site::signing("example.org");
    for why in [Unanswered::ServerFailure, Unanswered::TooLate] {
        let nothing = sound()
            .unanswered("example.org", &why)
            .unanswered("fp._domainkey.example.org", &why)
            .unanswered("_dmarc.example.org", &why)
            .unanswered("notes.example.org", &why);
        let findings = site.expect(nothing, &["dns-unanswered"; 5]);
        assert!(findings.diagnostics.iter().all(|one| one.message.ends_with(&why.to_string())));
    }
}
