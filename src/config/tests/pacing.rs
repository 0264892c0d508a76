//! Pace, timing, presets and rules.

use super::{assert_caret, good_and};
use crate::config::Sign;
use crate::domain::reply::{Reply, Stage};
use crate::domain::rules::Action;
use crate::domain::span::Span;

#[test]
fn pace_timing_and_rules_are_understood() {
    let config = good_and(
        r#"
[[relay]]
url = "smtps://mail.example.org"
rate = "14/s"
daily = 10_000
weight = 3
max_messages = 50
max_age = "2 min"
window = 8
warm_up = { start = "50/day", double_every = "2 days" }
[delivery]
domain_rates = { "gmail.com" = "20/s", "Müller.example" = "1/s", "*" = "100/min" }
quiet_hours = "22:00-07:00"
send_at = "09:30"
expires_after = "2 days"
[[rule]]
code = "454 4.7.x"
text = "wombat*quota"
action = "pause relay"
for = "5 min"
[[rule]]
stage = "recipient"
code = "5.1.x"
action = "plain"
"#,
    )
    .config();
    let pace = &config.relays[0].pace;
    assert_eq!((pace.rate.unwrap().to_string().as_str(), pace.daily, pace.weight), ("14/s", Some(10_000), 3));
    assert_eq!((pace.max_messages, pace.max_age.to_string().as_str(), pace.window), (Some(50), "2 minutes", 8));
    assert_eq!(pace.warm_up.map(|warm_up| (warm_up.cap(0), warm_up.cap(2))), Some((50, 100)));
    let timing = &config.timing;
    let rates: Vec<_> = timing.domain_rates.iter().map(|(domain, rate)| format!("{domain} {rate}")).collect();
    assert_eq!(rates, ["* 100/min", "gmail.com 20/s", "xn--mller-kva.example 1/s"]);
    assert_eq!(timing.day.quiet_hours.unwrap().to_string(), "22:00-07:00");
    assert_eq!(timing.day.send_at.unwrap().to_string(), "09:30:00");
    assert_eq!(timing.expires_after.unwrap().to_string(), "2 days");
    let says = |stage, code, text| config.rules.action(stage, &Reply::new(code, text));
    assert_eq!(
        says(Stage::Mail, 454, "4.7.1 wombat: quota reached"),
        Some(Action::PauseRelay(Span::parse("5 min").unwrap()))
    );
    assert_eq!(says(Stage::Recipient, 550, "5.1.1 nobody"), Some(Action::Plain));
    assert_eq!(says(Stage::Dot, 550, "5.1.1 nobody"), None);
}

#[test]
fn a_known_relay_is_treated_as_it_asks_unless_the_author_knows_better() {
    let relays = "[[relay]]\nurl = \"smtps://email-smtp.eu-west-1.amazonaws.com\"\nrate = \"14/s\"\n\
                  [[relay]]\nurl = \"smtps://smtp.office365.com\"\nconnections = 1\n\
                  [[relay]]\nurl = \"smtps://smtp.gmail.com\"\npreset = \"none\"\n\
                  [[relay]]\nurl = \"smtps://mail.example.org\"\npreset = \"socketlabs\"\n";
    let paces: Vec<_> = good_and(relays)
        .config()
        .relays
        .iter()
        .map(|relay| {
            let pace = &relay.pace;
            (pace.connections, pace.rate.map(|rate| rate.to_string()), pace.daily, pace.max_messages)
        })
        .collect();
    assert_eq!(
        paces,
        [
            (4, Some("14/s".to_owned()), None, Some(100)),
            (1, Some("30/min".to_owned()), Some(10_000), None),
            (4, None, None, None),
            (8, None, None, Some(50)),
        ]
    );
    let (_, warnings) = good_and("[[relay]]\nurl = \"smtps://email-smtp.eu-west-1.amazonaws.com\"\n").load().unwrap();
    assert_eq!((warnings[0].code, warnings[0].place.line), ("relay-rate", 5));
    let signs: Vec<_> = good_and(relays).config().relays.iter().map(|relay| relay.sign).collect();
    assert_eq!(signs, [Sign::Nothing, Sign::All, Sign::All, Sign::All], "SES refuses what is signed already");
}

#[test]
fn the_caret_stands_under_what_is_wrong_about_pace() {
    for (more, line, caret, code, help) in [
        ("[delivery]\nquiet_hours = \"22-7\"\n", 5, "\"22-7\"", "quiet-hours", "write quiet_hours = \"22:00-07:00\""),
        ("[delivery]\nsend_at = \"9 am\"\n", 5, "\"9 am\"", "send-at", "write send_at = \"09:00\""),
        ("[delivery]\nexpires_after = \"1 moon\"\n", 5, "\"1 moon\"", "span", "expires_after = \"2 days\""),
        ("[delivery]\ndomain_rates = { \"a.b\" = \"9\" }\n", 5, "\"9\"", "rate", "such as \"14/s\""),
        ("[delivery]\ndomain_rates = { gmail = \"9/s\" }\n", 5, "gmail", "domain-rate", "write \"gmail.com\""),
        ("[[rule]]\naction = \"slow\"\n", 4, "[[rule]]", "rule", "write code = \"454\""),
        ("[[rule]]\ncode = \"454\"\n", 4, "[[rule]]", "rule", "known: plain, slow, pause relay"),
        ("[[rule]]\ncode = \"250\"\naction = \"slow\"\n", 5, "\"250\"", "rule", "write \"454\""),
        ("[[rule]]\ntext = \"*\"\naction = \"slow\"\n", 5, "\"*\"", "rule", "a piece of what"),
        ("[[rule]]\ncode = \"4xx\"\naction = \"slwo\"\n", 6, "\"slwo\"", "rule", "did you mean `slow`?"),
        (
            "[[rule]]\ncode = \"4xx\"\nstage = \"rcpt\"\naction = \"slow\"\n",
            6,
            "\"rcpt\"",
            "rule",
            "known: connect, greeting",
        ),
        ("[[rule]]\ncode = \"4xx\"\naction = \"slow\"\nfor = \"1 h\"\n", 7, "\"1 h\"", "rule", "leave it out"),
        ("[[rule]]\ncode = \"4xx\"\nactoin = \"slow\"\naction = \"slow\"\n", 6, "actoin", "unknown-key", "`action`"),
        ("[[relay]]\nurl = \"smtps://a.b\"\nrate = \"fast\"\n", 6, "\"fast\"", "rate", "such as \"14/s\""),
        ("[[relay]]\nurl = \"smtps://a.b\"\nmax_age = \"5\"\n", 6, "\"5\"", "span", "write a number and a unit"),
        ("[[relay]]\nurl = \"smtps://a.b\"\ndaily = 0\n", 6, "0", "config-number", "a number from 1 to"),
        (
            "[[relay]]\nurl = \"smtps://a.b\"\npreset = \"postmrk\"\n",
            6,
            "\"postmrk\"",
            "relay-preset",
            "did you mean `postmark`?",
        ),
        (
            "[[relay]]\nurl = \"smtps://a.b\"\nwarm_up = { start = \"50/day\" }\n",
            6,
            "{ start = \"50/day\" }",
            "warm-up",
            "double_every = \"2 days\"",
        ),
        (
            "[[relay]]\nurl = \"smtps://a.b\"\nwarm_up = { start = \"50/day\", double_every = \"3 h\" }\n",
            6,
            "\"3 h\"",
            "warm-up",
            "write double_every = \"2 days\"",
        ),
    ] {
        assert_caret(more, line, caret, code, help);
    }
}
