//! `check --dns` against a real DNS server.

use std::net::UdpSocket;

use crate::support::dns::Dns;
use crate::support::site::Site;

/// A publication that sends from example.org and asks the server at a port.
fn site(port: u16) -> Site {
    let site = Site::empty();
    let head = "[publication]\ntitle = \"T\"\nbase_url = \"https://notes.example.org\"\n[source]\npath = \"content\"\n";
    let rest = format!("[mail]\nfrom = \"T <t@example.org>\"\n[check]\nresolver = \"127.0.0.1:{port}\"\n");
    site.write("fieldpost.toml", format!("{head}{rest}"));
    site.write("content/a.md", "---\ntitle: A\ndate: 2025-01-15\nsummary: s\n---\nText.\n");
    site
}

/// Makes both keys and puts them into the configuration; returns their records for dnsmasq, the long
/// one in several strings.
fn with_keys(site: &Site) -> Vec<String> {
    let made = site.run(&["keys", "dkim", "--selector", "fp", "--json"]).expect_code(0).json();
    let config = site.read("fieldpost.toml") + made["config"].as_str().expect("sections");
    site.write("fieldpost.toml", config);
    let record = |key: &serde_json::Value| {
        let strings: Vec<&str> =
            key["strings"].as_array().expect("strings").iter().filter_map(serde_json::Value::as_str).collect();
        format!("txt-record={},{}", key["name"].as_str().expect("a name"), strings.join(","))
    };
    made["keys"].as_array().expect("keys").iter().map(record).collect()
}

fn sound() -> Vec<String> {
    [
        "mx-host=example.org,mail.example.org,10",
        "host-record=mail.example.org,1.2.3.4",
        "host-record=notes.example.org,1.2.3.5,2606:4700::1",
        "txt-record=example.org,v=spf1 mx include:_spf.example.net -all",
        "txt-record=_spf.example.net,v=spf1 ip4:1.2.3.0/24 ~all",
        "txt-record=_dmarc.example.org,v=DMARC1; p=reject; rua=mailto:d@example.org",
    ]
    .map(str::to_owned)
    .to_vec()
}

fn codes(found: &serde_json::Value) -> Vec<&str> {
    let found = found["diagnostics"].as_array().expect("diagnostics");
    found.iter().filter_map(|one| one["code"].as_str()).collect()
}

#[test]
fn a_sound_domain_passes_a_strict_check() {
    let keyless = site(1);
    let keys = with_keys(&keyless);
    let Some(dns) = Dns::start_or_skip(&[sound(), keys].concat()) else { return };
    let site = keyless;
    let config = site.read("fieldpost.toml").replace("127.0.0.1:1\"", &format!("127.0.0.1:{}\"", dns.port));
    site.write("fieldpost.toml", config);
    let found = site.run(&["check", "--dns", "--strict", "--json"]).expect_code(0).json();
    assert_eq!(found["diagnostics"], serde_json::json!([]));
    assert_eq!(found["dns"].as_array().map(Vec::len), Some(6), "{found:#}");
    let said = site.run(&["check", "--dns"]).expect_code(0);
    assert!(said.stderr().contains("DKIM fp-rsa._domainkey.example.org: our RSA key\n"), "{}", said.stderr());
}

#[test]
fn an_empty_domain_is_told_what_to_publish() {
    let Some(dns) = Dns::start_or_skip(&["host-record=example.org,1.2.3.4".to_owned()]) else { return };
    let site = site(dns.port);
    let keys = with_keys(&site);
    let ran = site.run(&["check", "--dns", "--json"]).expect_code(2).json();
    let expected = ["spf-missing", "dkim-missing", "dkim-missing", "dmarc-missing", "one-click-host"];
    assert_eq!(codes(&ran), expected, "{ran:#}");
    let helps = ran["diagnostics"].to_string();
    let published = keys[1].split_once(',').expect("a value").1;
    assert!(helps.contains(published), "the record to publish is named whole: {helps}");
    let told = site.run(&["check", "--dns"]).expect_code(2).stderr();
    assert!(told.contains("  --> fieldpost.toml:7:8\n"), "{told}");
}

#[test]
fn warnings_about_dns_are_silenced_like_others() {
    let records: Vec<String> = sound().into_iter().filter(|record| !record.contains("_dmarc")).collect();
    let Some(dns) = Dns::start_or_skip(&records) else { return };
    let site = site(dns.port);
    let ran = site.run(&["check", "--dns", "--json"]).expect_code(0).json();
    assert_eq!(codes(&ran), ["dmarc-missing"]);
    let silence = "[[silence]]\ncode = \"dmarc-missing\"\npath = \"fieldpost.toml\"\nreason = \"next month\"\n";
    site.write("fieldpost.toml", site.read("fieldpost.toml") + silence);
    site.run(&["check", "--dns", "--strict"]).expect_code(0);
    site.run(&["check", "--strict"]).expect_code(0);
}

#[test]
fn a_server_that_fails_is_no_missing_record() {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a port");
    let port = socket.local_addr().expect("an address").port();
    std::thread::spawn(move || {
        let mut question = [0; 512];
        while let Ok((length, asker)) = socket.recv_from(&mut question) {
            // The same bytes as a response, SERVFAIL (RFC 1035, 4.1.1).
            question[2] |= 0x80;
            question[3] = 0x82;
            let _ = socket.send_to(&question[..length], asker);
        }
    });
    let site = site(port);
    let found = site.run(&["check", "--dns", "--json"]).expect_code(0).json();
    assert_eq!(codes(&found), ["dns-unanswered"; 4], "{found:#}");
    assert!(found.to_string().contains("SERVFAIL"));
}

#[test]
fn the_resolver_is_an_address() {
    let site = Site::with_config("[check]\nresolver = \"dns.example.org\"\n");
    let said = site.run(&["check"]).expect_code(2).stderr();
    assert!(said.contains("error[check-resolver]"), "{said}");
}
