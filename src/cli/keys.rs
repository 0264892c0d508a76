//! `keys`: makes the keys that sign mail, and prints what belongs in DNS and in the
//! configuration.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::args::{KeyKind, Keys};
use super::context::Context;
use super::exit::Exit;
use super::failure::Failure;
use super::printer::{self, Format};
use crate::config::FILE_NAME;
use crate::dkim::{Algorithm, Signer, SigningKey};
use crate::files;

/// The folder of made keys, below the publication's. Git ignores it.
const FOLDER: &str = ".fieldpost/dkim";

/// Runs one of the verbs below `keys`.
pub fn run(context: &Context, verb: Keys) -> Result<Exit, Failure> {
    match verb {
        Keys::Dkim { selector, algorithm } => make(context, selector, algorithm),
        Keys::Show => show(context),
    }
}

/// A key that was made, and where it is to lie, relative to the publication's folder.
struct Made {
    signer: Signer,
    pem: String,
    file: String,
}

/// Makes keys for the domain of `[mail] from`. Nothing is written over: if one of the files is
/// there already, none is written.
fn make(context: &Context, selector: Option<String>, kind: KeyKind) -> Result<Exit, Failure> {
    let config = context.config_aloud()?;
    let selector = selector.unwrap_or_else(|| context.now().format("fp%Y%m").to_string());
    let domain = config.publication.from.address.domain();
    let made = names(&selector, kind)
        .into_iter()
        .map(|(algorithm, selector)| new_key(algorithm, domain, &selector))
        .collect::<Result<Vec<_>, _>>()?;
    write(&config.root, &made)?;
    match context.format {
        Format::Json => {
            let keys: Vec<Value> = made.iter().map(|made| as_json(&made.signer, Some(&made.file))).collect();
            printer::json(&json!({ "keys": keys, "config": sections(&made) }));
        }
        Format::Text => {
            tell_written(&made);
            printer::data(&records(made.iter().map(|made| &made.signer)));
            printer::say(&format!("\nonce DNS answers with {}, paste this into {FILE_NAME}:\n", it_or_them(&made)));
            printer::data(&sections(&made));
        }
    }
    Ok(Exit::Done)
}

/// The keys to make: two of them cannot have one selector.
fn names(selector: &str, kind: KeyKind) -> Vec<(Algorithm, String)> {
    match kind {
        KeyKind::Rsa => vec![(Algorithm::Rsa, selector.to_owned())],
        KeyKind::Ed25519 => vec![(Algorithm::Ed25519, selector.to_owned())],
        KeyKind::Both => {
            vec![(Algorithm::Rsa, format!("{selector}-rsa")), (Algorithm::Ed25519, format!("{selector}-ed25519"))]
        }
    }
}

fn new_key(algorithm: Algorithm, domain: &str, selector: &str) -> Result<Made, Failure> {
    let key = SigningKey::generate(algorithm)
        .map_err(|_| Failure::Unwritable("this system gives no randomness to make a key from".to_owned()))?;
    let pem = key.to_pem();
    let signer = Signer::new(key, domain, selector).map_err(|error| Failure::Usage {
        message: format!("`{}` {error}", selector.escape_debug()),
        help: Some("a selector such as `mail2026`".to_owned()),
    })?;
    let file = format!("{FOLDER}/{}.pem", signer.selector());
    Ok(Made { signer, pem, file })
}

fn write(root: &Path, made: &[Made]) -> Result<(), Failure> {
    if let Some(there) = made.iter().find(|made| root.join(&made.file).symlink_metadata().is_ok()) {
        return Err(Failure::Usage {
            message: format!("`{}` is there already, and no key is ever written over", there.file),
            help: Some("`fieldpost keys show` prints its record; `--selector NAME` makes another".to_owned()),
        });
    }
    // A key must not be committed by accident.
    let ignored: PathBuf = root.join(".fieldpost/.gitignore");
    if !ignored.exists() {
        files::replace_durably(&ignored, b"*\n")?;
    }
    made.iter().try_for_each(|made| files::create_secret(&root.join(&made.file), made.pem.as_bytes()))?;
    Ok(())
}

fn tell_written(made: &[Made]) {
    for made in made {
        printer::say(&format!("wrote {}, readable by you alone: keep a copy in a safe place", made.file));
    }
    printer::say(&format!("\npublish {} in DNS:\n", if made.len() == 1 { "this record" } else { "these records" }));
}

fn it_or_them(made: &[Made]) -> &'static str {
    if made.len() == 1 { "it" } else { "them" }
}

/// Prints the records of the keys in the configuration.
fn show(context: &Context) -> Result<Exit, Failure> {
    let config = context.config_aloud()?;
    match context.format {
        Format::Json => {
            let keys: Vec<Value> = config.dkim.iter().map(|signer| as_json(signer, None)).collect();
            printer::json(&json!({ "keys": keys }));
        }
        Format::Text if config.dkim.is_empty() => {
            printer::say("no key is configured, so mail leaves unsigned; `fieldpost keys dkim` makes keys");
        }
        Format::Text => printer::data(&records(config.dkim.iter())),
    }
    Ok(Exit::Done)
}

/// What belongs in DNS, for web forms and for zone files.
fn records<'a>(signers: impl Iterator<Item = &'a Signer>) -> String {
    let one = |signer: &Signer| {
        let record = signer.record();
        format!("name:  {}\ntype:  TXT\nvalue: {}\nin a zone file:\n{}\n", record.name, record.text, record.zone_line())
    };
    signers.map(one).collect::<Vec<_>>().join("\n")
}

/// The sections to paste.
fn sections(made: &[Made]) -> String {
    let one =
        |made: &Made| format!("[[dkim]]\nselector = \"{}\"\nkey_file = \"{}\"\n", made.signer.selector(), made.file);
    made.iter().map(one).collect::<Vec<_>>().join("\n")
}

fn as_json(signer: &Signer, file: Option<&str>) -> Value {
    let record = signer.record();
    let mut value = json!({
        "algorithm": signer.algorithm().name(),
        "domain": signer.domain(),
        "selector": signer.selector(),
        "id": signer.id().as_str(),
        "name": record.name,
        "text": record.text,
        "strings": record.strings(),
        "zone_line": record.zone_line(),
    });
    if let Some(file) = file {
        value["key_file"] = json!(file);
    }
    value
}
