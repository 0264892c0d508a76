//! Configurations as people really write them: what comes of the good ones, and where the
//! caret stands in the bad ones.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use proptest::prelude::*;

use super::*;
use crate::diagnostic::Severity;
use crate::domain::words::Word;

mod pacing;

const GOOD: &str = "[publication]\ntitle = \"Notes\"\nbase_url = \"https://notes.example.org\"\n";

/// A publication's folder with a configuration, and what loading it says.
struct Site {
    folder: tempfile::TempDir,
    environment: Environment,
}

impl Site {
    fn new(text: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(FILE_NAME), text).unwrap();
        Self { folder, environment: Environment::default() }
    }

    /// Writes a file beside the configuration, readable by its owner only.
    fn with(self, name: &str, text: &str) -> Self {
        let path = self.root().join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        self
    }

    fn root(&self) -> &Path {
        self.folder.path()
    }

    fn load(&self) -> Result<(Config, Vec<Diagnostic>), Vec<Diagnostic>> {
        Config::load(self.root(), &self.environment)
    }

    fn config(&self) -> Config {
        let (config, warnings) = self.load().unwrap();
        assert_eq!(warnings, []);
        config
    }

    fn mistakes(&self) -> Vec<Diagnostic> {
        self.load().map(|_| ()).unwrap_err().into_iter().map(|found| found.relative_to(self.root())).collect()
    }
}

fn good_and(more: &str) -> Site {
    Site::new(&format!("{GOOD}{more}"))
}

#[test]
fn title_and_base_url_suffice() {
    let site = Site::new(GOOD);
    let config = site.config();
    let publication = &config.publication;
    assert_eq!(publication.base_url.as_str(), "https://notes.example.org/");
    assert_eq!(publication.from.address.as_str(), "noreply@notes.example.org");
    assert_eq!(publication.from.name.as_deref(), Some("Notes"));
    assert_eq!((publication.list_id.as_str(), publication.language.as_str()), ("notes.example.org", "en"));
    assert_eq!((config.source.as_path(), config.output), (site.root(), site.root().join("public")));
    assert_eq!(config.state, site.root().join(".fieldpost/state.db"));
    assert_eq!(config.state_dir, site.root().join(".fieldpost"));
    assert_eq!(config.outbox, site.root().join(".fieldpost/outbox"));
    assert_eq!((config.begin_ahead, config.in_doubt), (256, InDoubtPolicy::Resend));
    assert!(config.relays.is_empty() && config.templates.is_none() && config.subscribers_file.is_none());
}

#[test]
fn pictures_are_linked_unless_the_mail_shall_hold_them() {
    let pictures = |mail: &str| good_and(&format!("[mail]\n{mail}")).config().mail_pictures;
    assert_eq!(pictures(""), MailPictures::Linked);
    assert_eq!(pictures("images = \"linked\""), MailPictures::Linked);
    assert_eq!(pictures("images = \"cid\""), MailPictures::Embedded { cap: 300_000 });
    assert_eq!(pictures("images = \"cid\"\ncid_cap = \"2 MB\""), MailPictures::Embedded { cap: 2_000_000 });
    for wrong in ["images = \"inline\"", "images = \"cid\"\ncid_cap = \"300\"", "cid_cap = \"1 KB\""] {
        let mistakes = good_and(&format!("[mail]\n{wrong}")).mistakes();
        assert_eq!(mistakes.iter().map(|one| one.code).collect::<Vec<_>>(), ["mail-images"], "{wrong}");
    }
}

#[test]
fn content_and_templates_are_used_when_they_are_there() {
    let site = Site::new(GOOD);
    fs::create_dir(site.root().join("content")).unwrap();
    fs::create_dir(site.root().join("templates")).unwrap();
    let config = site.config();
    assert_eq!(config.source, site.root().join("content"));
    assert_eq!(config.templates, Some(site.root().join("templates")));
}

#[test]
fn every_key_of_the_contract_is_understood() {
    let site = Site::new(
        r#"
[publication]
title = "ML Field Notes"
base_url = "https://example.org/ml"
description = "Notes from the field"
author = "Ada Lovelace"
author_url = "https://ada.example.org"
language = "de-AT"
time_zone = "Europe/Vienna"
postal_address = """
Ada Lovelace
1010 Wien"""
[source]
path = "posts"
ignore = ["drafts/**"]
[output]
path = "out/site"
[mail]
from = "ML Field Notes <notes@example.org>"
reply_to = "ada@example.org"
list_id = "ml.lists.example.org"
idempotency_header = "Resend-Idempotency-Key"
since = 2026-01-31
[[relay]]
url = "smtps://notes%40example.org@mail.example.org"
ca_file = "ca.pem"
password_file = "relay.password"
connections = 8
[[relay]]
url = "smtp+starttls://[2001:db8::1]:2587"
[[relay]]
url = "smtp://127.0.0.1"
[ledger]
url = "sqlite:var/state.db"
[subscribers]
file = "people.csv"
[delivery]
in_doubt = "hold"
begin_ahead = 64
[content]
retired = ["tag:example.org,2026:a"]
[feed]
limit = 7
"#,
    )
    .with("ca.pem", "-----BEGIN CERTIFICATE-----\n")
    .with("relay.password", "hunter2\n")
    .with("people.csv", "email\n");
    fs::create_dir(site.root().join("posts")).unwrap();
    let config = site.config();
    assert_eq!(config.publication.postal_address.as_deref(), Some("Ada Lovelace\n1010 Wien"));
    assert_eq!(config.publication.list_id, "ml.lists.example.org");
    assert_eq!(config.publication.idempotency_header.as_deref(), Some("Resend-Idempotency-Key"));
    assert_eq!(config.mail_since.unwrap().to_rfc3339(), "2026-01-30T23:00:00+00:00");
    assert_eq!(config.state, site.root().join("var/state.db"));
    assert_eq!((config.begin_ahead, config.feed_limit, config.retired.len()), (64, 7, 1));
    let relays =
        config.relays.iter().map(|relay| (relay.host.as_str(), relay.port, relay.security, relay.pace.connections));
    assert_eq!(
        relays.collect::<Vec<_>>(),
        [
            ("mail.example.org", 465, Security::Implicit, 8),
            ("2001:db8::1", 2587, Security::StartTls, 4),
            ("127.0.0.1", 25, Security::ClearText, 4),
        ]
    );
    assert_eq!(config.relays[0].user.as_deref(), Some("notes@example.org"));
    assert_eq!(config.relays[0].password.as_ref().unwrap().expose(), "hunter2");
    assert!(!format!("{config:?}").contains("hunter2"));
}

#[test]
fn the_caret_stands_under_what_is_wrong() {
    for (more, line, caret, code, help) in [
        ("langauge = \"en\"\n", 4, "langauge", "unknown-key", "did you mean `language`?"),
        ("from = \"a@b.c\"\n", 4, "from", "unknown-key", "`from` belongs in `[mail]`"),
        ("[mial]\n", 4, "mial", "unknown-key", "did you mean `mail`?"),
        ("[mail]\nfrom = \"a@\"\n", 5, "\"a@\"", "mail-address", "write from = \"My Notes <notes@example.org>\""),
        ("[mail]\nfrom = 7\n", 5, "7", "config-type", "write from = \"...\""),
        ("[mail]\nlist_id = \"a b\"\n", 5, "\"a b\"", "list-id", "words of letters"),
        ("[mail]\nidempotency_header = \"Bcc\"\n", 5, "\"Bcc\"", "idempotency-header", "Resend-Idempotency-Key"),
        ("[mail]\nidempotency_header = \"a: b\"\n", 5, "\"a: b\"", "idempotency-header", "your relay's manual"),
        ("[mail]\nsince = \"soon\"\n", 5, "\"soon\"", "config-date", "write since = 2026-01-31"),
        ("time_zone = \"Europe/Viena\"\n", 4, "\"Europe/Viena\"", "time-zone", "did you mean `Europe/Vienna`?"),
        ("language = \"de_AT\"\n", 4, "\"de_AT\"", "language", "write `de-AT`"),
        ("author_url = \"ada\"\nauthor = \"Ada\"\n", 4, "\"ada\"", "author", "it begins with https://"),
        ("description = \"a\\u0007b\"\n", 4, "\"a\\u0007b\"", "config-text", "write it on one line"),
        ("[source]\npath = \"nowhere\"\n", 5, "\"nowhere\"", "no-such-folder", "relative to the folder"),
        ("[output]\npath = \".\"\n", 5, "\".\"", "output-over-source", "a folder of its own"),
        ("[output]\npath = \"a/../..\"\n", 5, "\"a/../..\"", "output-over-source", "a folder of its own"),
        ("[ledger]\nurl = \"mysql:x\"\n", 5, "\"mysql:x\"", "ledger-url", "write url = \"sqlite:"),
        ("[subscribers]\nfile = \"x.csv\"\n", 5, "\"x.csv\"", "subscribers-file", "relative to the folder"),
        ("[delivery]\nbegin_ahead = 0\n", 5, "0", "config-number", "a number from 1 to 10000"),
        ("[delivery]\nin_doubt = \"holt\"\n", 5, "\"holt\"", "in-doubt", "did you mean `hold`?"),
        ("[content]\nretired = [\"a\", \"b c\"]\n", 5, "\"b c\"", "retired-id", "copy the id"),
        ("[[relay]]\nurl = \"mail.example.org\"\n", 5, "\"mail.example.org\"", "relay-url", "write smtps://"),
        ("[[relay]]\nurl = \"https://a.b\"\n", 5, "\"https://a.b\"", "relay-url", "write smtps://"),
        ("[[relay]]\nurl = \"smtp://a.b\"\n", 5, "\"smtp://a.b\"", "relay-clear-text", "write smtps://"),
        ("[[relay]]\nurl = \"smtps://a.b/x\"\n", 5, "\"smtps://a.b/x\"", "relay-url", "write smtps://"),
        ("[[relay]]\nconnections = 2\n", 4, "[[relay]]", "relay-url", "write smtps://"),
        ("[relay]\nurl = \"smtps://a.b\"\n", 4, "[relay]", "config-type", "write [[relay]]"),
        (
            "[[relay]]\nurl = \"smtps://a.b\"\nca_file = \"fieldpost.toml\"\n",
            6,
            "\"fieldpost.toml\"",
            "relay-ca",
            "PEM",
        ),
        (
            "[[relay]]\nurl = \"smtps://a.b\"\npassword_file = \"x\"\n",
            6,
            "\"x\"",
            "config-file",
            "relative to the folder",
        ),
        ("title = \"Again\"\n", 4, "title", "toml-syntax", "keep one of the two"),
        ("language = en\n", 4, "en", "toml-syntax", "text stands in quotes"),
    ] {
        assert_caret(more, line, caret, code, help);
    }
}

/// The one mistake of a file stands where it should, and its help helps.
fn assert_caret(more: &str, line: usize, caret: &str, code: &str, help: &str) {
    let mistakes = good_and(more).mistakes();
    assert_eq!(mistakes.len(), 1, "{more} {mistakes:#?}");
    let found = &mistakes[0];
    let under: String = found.place.text.chars().skip(found.place.column - 1).take(found.place.width).collect();
    assert_eq!((found.place.line, under.as_str(), found.code), (line, caret, code), "{found}");
    assert!(found.help.as_ref().is_some_and(|text| text.contains(help)), "{found}");
    assert_eq!((found.severity, found.place.file.as_path()), (Severity::Error, Path::new(FILE_NAME)));
}

#[test]
fn all_mistakes_come_at_once_in_the_order_of_the_file() {
    let site = Site::new(
        "titel = \"x\"\n[publication]\nbase_url = \"notes.example.org\"\nlanguage = 3\n[mail]\nfrom = \"x\"\nform = \"y\"\n[feed]\nlimit = -1\n",
    );
    let found: Vec<_> = site.mistakes().iter().map(|found| (found.place.line, found.code)).collect();
    assert_eq!(
        found,
        [
            (1, "unknown-key"),
            (2, "publication-incomplete"),
            (3, "base-url"),
            (4, "config-type"),
            (6, "mail-address"),
            (7, "unknown-key"),
            (9, "config-number"),
        ]
    );
    assert_eq!(site.mistakes()[0].help.as_deref(), Some("`title` belongs in `[publication]`"));
    assert_eq!(site.mistakes()[2].help.as_deref(), Some("write https://notes.example.org"));
}

#[test]
fn a_byte_order_mark_and_crlf_are_no_mistakes() {
    let site = Site::new(&format!("\u{FEFF}{}", GOOD.replace('\n', "\r\n")));
    assert_eq!(site.config().publication.title, "Notes");
}

#[test]
fn every_syntax_error_is_told() {
    let found = good_and("a = \nb = [1\n[mail\n").mistakes();
    assert!(found.len() >= 2 && found.iter().all(|found| found.code == "toml-syntax"), "{found:#?}");
}

#[test]
fn a_missing_or_empty_file_says_what_to_do() {
    let empty = Site::new("").mistakes();
    assert_eq!(empty[0].message, "`[publication]` has no `title` and no `base_url`");
    assert_eq!(empty[0].place.line, 0);
    let folder = tempfile::tempdir().unwrap();
    let missing = Config::load(folder.path(), &Environment::default()).unwrap_err();
    assert!(missing[0].help.as_ref().unwrap().contains("fieldpost init"));
    fs::write(folder.path().join(FILE_NAME), b"[publication]\ntitle = \"Caf\xE9\"\n").unwrap();
    let latin = Config::load(folder.path(), &Environment::default()).unwrap_err();
    assert_eq!((latin[0].code, latin[0].place.line, latin[0].place.column), ("not-utf8", 2, 13));
}

#[test]
fn a_password_in_the_url_is_refused_and_not_shown() {
    for line in [
        "url = \"smtps://ada:hunter2@mail.example.org\"",
        "url = \"smtps://ada:hunter2@mail.example.org:x\"",
        "url = \"smtps://ada:hunter2@",
    ] {
        let mistakes = good_and(&format!("[[relay]]\n{line}\n")).mistakes();
        assert_eq!(mistakes.len(), 1, "{mistakes:#?}");
        assert!(!format!("{} {}", mistakes[0], mistakes[0].to_json()).contains("hunter2"), "{}", mistakes[0]);
    }
    let mistakes = good_and("[[relay]]\nurl = \"smtps://ada:hunter2@mail.example.org\"\n").mistakes();
    assert_eq!(mistakes[0].code, "relay-password-in-url");
}

#[test]
fn a_password_file_is_its_owners_alone() {
    let relay = "[[relay]]\nurl = \"smtps://ada@mail.example.org\"\npassword_file = \"relay.password\"\n";
    let site = good_and(relay).with("relay.password", "hunter2\n");
    assert_eq!(site.config().relays[0].password.as_ref().unwrap().expose(), "hunter2");
    fs::set_permissions(site.root().join("relay.password"), fs::Permissions::from_mode(0o644)).unwrap();
    assert_eq!(site.mistakes()[0].help.as_deref(), Some("chmod 600 relay.password"));
    let empty = good_and(relay).with("relay.password", "\n");
    assert!(empty.mistakes()[0].message.contains("holds no password"));
}

/// Keys of both kinds, as other programs write them.
const RSA_PEM: &str = include_str!("../dkim/samples/pkcs8-2048.pem");
const ED25519_PEM: &str = include_str!("../dkim/samples/rfc8463.pem");
/// A sender below the publication's domain, a section, and its place for more lines.
const DKIM: &str =
    "[mail]\nfrom = \"notes@news.example.org\"\n[[dkim]]\nselector = \"mail2026\"\nkey_file = \"a.pem\"\n";

#[test]
fn keys_sign_for_the_senders_domain_or_one_above_it() {
    let second = "[[dkim]]\nselector = \"ed\"\nkey_file = \"b.pem\"\ndomain = \"Example.org\"\n";
    let site = good_and(&format!("{DKIM}{second}")).with("a.pem", RSA_PEM).with("b.pem", ED25519_PEM);
    let config = site.config();
    let names: Vec<_> = config.dkim.iter().map(|signer| (signer.domain(), signer.selector())).collect();
    assert_eq!(names, [("news.example.org", "mail2026"), ("example.org", "ed")]);
    assert_eq!(config.signers().len(), 2, "an outbox takes every signature");
    assert!(!format!("{config:?}").contains("MC4CAQ"));
}

#[test]
fn a_relay_gets_the_signatures_it_takes() {
    for (sign, signatures) in [("", 2), ("sign = \"all\"\n", 2), ("sign = \"rsa\"\n", 1), ("sign = \"none\"\n", 0)] {
        let more = format!(
            "{DKIM}[[dkim]]\nselector = \"ed\"\nkey_file = \"b.pem\"\n[[relay]]\nurl = \"smtp://localhost\"\n{sign}"
        );
        let config = good_and(&more).with("a.pem", RSA_PEM).with("b.pem", ED25519_PEM).config();
        assert_eq!(config.signers().len(), signatures, "{sign}");
    }
}

#[test]
fn a_key_that_cannot_sign_is_refused_with_the_remedy() {
    let small = include_str!("../dkim/samples/pkcs8-1024.pem");
    let relay = "[[relay]]\nurl = \"smtp://localhost\"\n";
    for (more, key, line, code, help) in [
        ("", small, 8, "dkim-key", "fieldpost keys dkim"),
        ("", "-----BEGIN CERTIFICATE-----\n", 8, "dkim-key", "fieldpost keys dkim"),
        ("domain = \"example.com\"\n", RSA_PEM, 9, "dkim-domain", "write domain = \"news.example.org\""),
        ("domain = \"org\"\n", RSA_PEM, 9, "dkim-domain", "write domain"),
        ("domain = \"s.example.org\"\n", RSA_PEM, 9, "dkim-domain", "write domain"),
        ("selectr = \"x\"\n", RSA_PEM, 9, "unknown-key", "did you mean `selector`?"),
        ("[[dkim]]\nselector = \"b\"\nkey_file = \"a.pem\"\n", RSA_PEM, 9, "dkim-second-key", "keep the one"),
        ("[[dkim]]\nkey_file = \"a.pem\"\n", RSA_PEM, 9, "dkim-incomplete", "selector = "),
        ("[[dkim]]\nselector = \"b\"\n", RSA_PEM, 9, "dkim-incomplete", "key_file = "),
        ("[[dkim]]\nselector = \"b\"\nkey_file = \"x\"\n", RSA_PEM, 11, "config-file", "relative to the folder"),
        ("[[dkim]]\nselector = \"b;\"\nkey_file = \"a.pem\"\n", RSA_PEM, 10, "dkim-selector", "mail2026"),
        (&format!("{relay}sign = \"rsaa\"\n"), RSA_PEM, 11, "relay-sign", "did you mean `rsa`?"),
        (&format!("{relay}sign = \"rsa\"\n"), ED25519_PEM, 11, "relay-sign", "--algorithm rsa"),
        (&format!("{relay}{relay}sign = \"none\"\n"), RSA_PEM, 13, "relay-sign", "the same `sign`"),
    ] {
        let mistakes = good_and(&format!("{DKIM}{more}")).with("a.pem", key).mistakes();
        assert_eq!(mistakes.len(), 1, "{more} {mistakes:#?}");
        assert_eq!((mistakes[0].place.line, mistakes[0].code), (line, code), "{}", mistakes[0]);
        assert!(mistakes[0].help.as_ref().is_some_and(|text| text.contains(help)), "{}", mistakes[0]);
    }
}

#[test]
fn a_key_file_is_its_owners_alone() {
    let site = good_and(DKIM).with("a.pem", RSA_PEM);
    fs::set_permissions(site.root().join("a.pem"), fs::Permissions::from_mode(0o640)).unwrap();
    assert_eq!((site.mistakes()[0].code, site.mistakes()[0].help.as_deref()), ("dkim-key", Some("chmod 600 a.pem")));
    let loose = good_and(DKIM).with("a.pem", &RSA_PEM.replace("-----BEGIN", "-----BEGAN")).mistakes();
    assert!(!format!("{} {}", loose[0], loose[0].to_json()).contains("MIIE"), "{}", loose[0]);
}

#[test]
fn the_environment_gives_the_password_or_a_warning_asks_for_it() {
    let mut site = good_and("[[relay]]\nurl = \"smtps://ada@mail.example.org\"\n");
    let (config, warnings) = site.load().unwrap();
    assert!(config.relays[0].password.is_none());
    assert_eq!((warnings[0].code, warnings[0].severity), ("relay-password-missing", Severity::Warning));
    site.environment.relay_password = Some(Secret::new("hunter2"));
    assert_eq!(site.config().relays[0].password.as_ref().unwrap().expose(), "hunter2");
}

#[test]
fn clear_text_leaves_the_machine_only_by_the_authors_word() {
    for (host, more) in [("localhost", ""), ("[::1]:2525", ""), ("relay.lan", "allow_clear_text = true\n")] {
        let config = good_and(&format!("[[relay]]\nurl = \"smtp://{host}\"\n{more}")).config();
        assert_eq!(config.relays[0].security, Security::ClearText);
    }
    for host in ["localhost.example.org", "127.0.0.1.example.org", "10.0.0.1", "0.0.0.0"] {
        let mistakes = good_and(&format!("[[relay]]\nurl = \"smtp://{host}\"\n")).mistakes();
        assert_eq!(mistakes[0].code, "relay-clear-text", "{host}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn any_text_is_read_without_a_panic(text in ".{0,120}") {
        let _ = Site::new(&text).load();
    }

    #[test]
    fn any_value_is_read_without_a_panic(key in "[a-z_]{1,14}", value in "\"[^\"\\\\\\n]{0,40}\"|-?[0-9]{1,25}|\\[.{0,6}\\]|\\{.{0,6}\\}", section in "publication|source|output|mail|relay|dkim|\\[dkim\\]|\\[relay\\]|ledger|delivery|\\[rule\\]|content|feed") {
        let _ = good_and(&format!("[{section}]\n{key} = {value}\n")).load();
        let _ = good_and(&format!("[[relay]]\nurl = {value}\n[mail]\nfrom = {value}\nsince = {value}\n[output]\npath = {value}\n")).load();
    }
}

#[test]
fn words_of_other_languages_are_known_by_name_and_hold_what_is_filled_in() {
    let site = good_and("[words.de]\nnotes = \"Anmerkungen\"\n[words.de-AT]\nback = \"Zurück zu {note}\"\n");
    let words = site.config().publication.words;
    let said = [Word::Notes, Word::Back, Word::Links].map(|word| words.of("de-AT").word(word).to_owned());
    assert_eq!(said, ["Anmerkungen", "Zurück zu {note}", "Links"]);
    for (text, code, meant, help) in [
        ("[words.de]\nunsubscribed = \"x\"\n", "unknown-key", "unsubscribed", "did you mean `unsubscribe`?"),
        ("[words.de]\nxyzzy = \"x\"\n", "unknown-key", "xyzzy", "the manual's page on templates lists them all"),
        ("[words.de]\nwhy = \"Nur {title}.\"\n", "words", "\"Nur", "in English it is \"You get this mail because"),
        ("[words.de]\nnotes = \"\"\n", "config-text", "\"\"", "write something"),
        ("[words]\nnotes = \"x\"\n", "config-type", "\"x\"", "write notes as a table of texts"),
        ("[words.de]\nnotes = 1\n", "config-type", "1", "write notes = \"...\""),
    ] {
        let mistakes = good_and(text).mistakes();
        let [mistake] = mistakes.as_slice() else { panic!("{text}: {mistakes:?}") };
        let at: String = mistake.place.text.chars().skip(mistake.place.column - 1).collect();
        assert_eq!((mistake.code, mistake.place.line), (code, 5), "{mistake:?}");
        assert!(at.starts_with(meant), "{mistake:?}");
        assert!(mistake.help.as_deref().is_some_and(|said| said.starts_with(help)), "{mistake:?}");
    }
}
