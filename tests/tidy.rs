//! The architecture, enforced: arrows between floors, and what is absent where.
//!
//! The floors are read from the table in `src/lib.rs`, so the map that people read is the map
//! that holds. Everything else is in the tables [`ABSENCES`] and [`HOMES`]; `ARCHITECTURE.md`
//! tells why. Each rule has a test below that shows it can fail.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

#[path = "tidy/source.rs"]
mod source;

use source::{Source, begins_a_name};

/// A file longer than this does more than one thing.
const LONGEST_FILE: usize = 450;

/// The ground: open to every floor; its modules import nothing of the house, not even each other.
const GROUND: u8 = 1;

/// A thing that is only done in some places: printing, reading the clock, writing files, ….
struct Absence {
    what: &'static str,
    words: &'static [&'static str],
    allowed: &'static [&'static str],
}

const ABSENCES: &[Absence] = &[
    Absence {
        what: "prints (`cli` is the only printer)",
        words: &["println!", "print!", "eprintln!", "eprint!", "io::stdout", "io::stderr"],
        allowed: &["cli/"],
    },
    Absence {
        what: "reads the environment (`config` is the only reader)",
        words: &["std::env", "env::var", "env::var_os", "env::vars", "env::current_dir", "env::temp_dir"],
        allowed: &["config/"],
    },
    Absence {
        what: "reads the wall clock (`now` is an argument; `config::Clock` is the only reader)",
        words: &["Utc::now", "Local::now", "SystemTime::now"],
        allowed: &["config/clock"],
    },
    Absence {
        what: "reads the monotonic clock (time-outs, pace and leases only)",
        words: &["Instant::now"],
        allowed: &["cli/", "deliver/", "smtp/", "ledger/"],
    },
    Absence {
        what: "writes files (`files` is the only writer; the ledger keeps its own state and lock)",
        words: &["fs::write", "fs::rename", "fs::remove_file", "fs::create_dir", "File::create", "OpenOptions"],
        allowed: &["files/", "ledger/"],
    },
    Absence {
        what: "opens a connection (only the clients of SMTP and HTTP do), or waits for one (only the web server does)",
        words: &["TcpStream", "TcpListener", "UdpSocket", "lookup_host"],
        allowed: &["smtp/", "egress/", "web/http"],
    },
    Absence {
        what: "starts a process (git for history, the author's editor)",
        words: &["Command::new"],
        allowed: &["content/git", "cli/"],
    },
    Absence { what: "unwraps (`expect` says why it cannot fail)", words: &[".unwrap()"], allowed: &[] },
];

/// Crates with one home: their types never reach another room.
const HOMES: &[(&str, &[&str])] = &[
    ("rusqlite", &["ledger/"]),
    ("rustls", &["smtp/", "egress/"]),
    ("tokio_rustls", &["smtp/", "egress/"]),
    ("tokio", &["smtp/", "egress/", "ledger/", "check/", "deliver/", "campaign/", "web/", "cli/"]),
    ("rss", &["feed/"]),
    ("atom_syndication", &["feed/"]),
    ("feed_rs", &["feed/"]),
    ("quick_xml", &["feed/"]),
    ("pulldown_cmark", &["content/"]),
    ("emojis", &["content/"]),
    ("image", &["picture/"]),
    ("fast_image_resize", &["picture/"]),
    ("png", &["math/", "picture/"]),
    ("postcard", &["files/", "ledger/"]),
    ("resvg", &["picture/"]),
    ("mermaid_rs_renderer", &["picture/"]),
    ("syntect", &["highlight/"]),
    ("two_face", &["highlight/"]),
    ("tera", &["render/"]),
    ("css_inline", &["render/"]),
    ("ammonia", &["render/"]),
    ("lettre", &["message/"]),
    ("rustls_pki_types", &["dkim/"]),
    ("clap", &["cli/"]),
    ("indicatif", &["cli/"]),
    ("hickory_resolver", &["egress/"]),
    ("hyper", &["egress/", "web/http"]),
    ("hyper_util", &["egress/", "web/http"]),
    ("http_body_util", &["web/http"]),
    ("math_core", &["math/"]),
    ("ratex_layout", &["math/"]),
    ("ratex_parser", &["math/"]),
    ("ratex_render", &["math/"]),
    ("ratex_types", &["math/"]),
];

#[test]
fn no_arrow_points_up_and_no_floor_has_a_cycle() {
    let floors = floors(&read("src/lib.rs"));
    let sources = production_and_test_code();
    assert_clean(&[missing_floors(&sources, &floors), wrong_arrows(&sources, &floors)].concat());
}

#[test]
fn nothing_is_done_outside_its_room() {
    let complaints: Vec<String> = production_and_test_code().iter().flat_map(strays).collect();
    assert_clean(&complaints);
}

#[test]
fn every_file_is_short_and_finished() {
    let files = ["src", "tests", "templates", "scripts", "benches", "fuzz/src", "fuzz/fuzz_targets"]
        .iter()
        .flat_map(|folder| files_under(folder));
    let complaints: Vec<String> = files.flat_map(|(path, text)| untidiness(&path, &text)).collect();
    assert_clean(&complaints);
}

fn assert_clean(complaints: &[String]) {
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}

/// Reads the table of `lib.rs`: rows `| floor | [`module`], … | what |`.
fn floors(lib: &str) -> BTreeMap<String, u8> {
    let rows = lib.lines().filter_map(|line| line.strip_prefix("//! |")?.split_once('|'));
    rows.filter_map(|(floor, rest)| Some((floor.trim().parse().ok()?, rest.split('|').next()?.to_owned())))
        .flat_map(|(floor, modules): (u8, String)| {
            modules.split('`').skip(1).step_by(2).map(|name| (name.to_owned(), floor)).collect::<Vec<_>>()
        })
        .collect()
}

fn missing_floors(sources: &[Source], floors: &BTreeMap<String, u8>) -> Vec<String> {
    let modules: BTreeSet<&str> = sources.iter().filter_map(Source::module).collect();
    let homeless = modules.into_iter().filter(|module| !floors.contains_key(*module));
    homeless.map(|module| format!("src/{module}: has no row in the table of src/lib.rs")).collect()
}

/// Every arrow to a higher floor, out of the ground, or round in a circle on one floor.
fn wrong_arrows(sources: &[Source], floors: &BTreeMap<String, u8>) -> Vec<String> {
    let mut complaints = Vec::new();
    let mut same_floor: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for source in sources {
        let Some(from) = source.module() else { continue };
        let climb = |line| format!("src/{}:{line}: climbs to the root by `super`: write `crate::`", source.path);
        complaints.extend(source.climbs().into_iter().map(climb));
        for (to, line) in source.arrows() {
            let (Some(own), Some(other)) = (floors.get(from), floors.get(&to)) else { continue };
            if to != from && (other > own || *own == GROUND) {
                complaints
                    .push(format!("src/{}:{line}: `{from}` (floor {own}) names `{to}` (floor {other})", source.path));
            } else if to != from && other == own {
                same_floor.entry(from.to_owned()).or_default().insert(to);
            }
        }
    }
    let in_circle = same_floor.keys().filter(|module| reaches(&same_floor, module, module));
    complaints.extend(in_circle.map(|module| format!("src/{module}: imports itself by way of its own floor")));
    complaints
}

fn reaches(arrows: &BTreeMap<String, BTreeSet<String>>, from: &str, goal: &str) -> bool {
    let mut seen = BTreeSet::new();
    let mut open = Vec::from([from]);
    while let Some(next) = open.pop() {
        for to in arrows.get(next).into_iter().flatten() {
            if to == goal {
                return true;
            }
            if seen.insert(to) {
                open.push(to);
            }
        }
    }
    false
}

/// Every line that does what its room must not do, or uses a crate away from its home.
fn strays(source: &Source) -> Vec<String> {
    let at_home = |homes: &[&str]| homes.iter().any(|home| source.path.starts_with(home));
    let mut complaints = Vec::new();
    for (number, line) in source.production_lines() {
        let place = format!("src/{}:{number}", source.path);
        for absence in ABSENCES.iter().filter(|absence| !at_home(absence.allowed)) {
            if absence.words.iter().any(|word| names(line, word)) {
                complaints.push(format!("{place}: {}", absence.what));
            }
        }
        for (name, homes) in HOMES.iter().filter(|(_, homes)| !at_home(homes)) {
            if names_crate(line, name) {
                complaints.push(format!("{place}: uses `{name}`, whose home is {}", homes.join(", ")));
            }
        }
    }
    complaints
}

/// Whether a line of code holds a word that is not the tail of a longer one.
fn names(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(at, _)| word.starts_with('.') || begins_a_name(&line[..at]))
}

/// Whether a line of code names a crate: `rss::`, but not `feed::rss::`.
fn names_crate(line: &str, name: &str) -> bool {
    let path = format!("{name}::");
    line.match_indices(&path).any(|(at, _)| begins_a_name(&line[..at]) && !line[..at].ends_with("::"))
}

/// A file that is too long, or says of itself that it is not done.
fn untidiness(path: &str, text: &str) -> Vec<String> {
    let mut complaints = Vec::new();
    let lines = text.lines().count();
    if is_rust(path) && lines > LONGEST_FILE {
        complaints.push(format!("{path}: {lines} lines, more than {LONGEST_FILE}"));
    }
    // Spelt in halves, so that this file is not its own offender.
    let marks = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("to", "do!("), concat!("unimpl", "emented!(")];
    for (index, line) in text.lines().enumerate().filter(|(_, line)| marks.iter().any(|mark| line.contains(mark))) {
        complaints.push(format!("{path}:{}: unfinished: {}", index + 1, line.trim()));
    }
    complaints
}

/// Every file of `src/`, knowing where its tests begin.
fn production_and_test_code() -> Vec<Source> {
    let files = files_under("src").into_iter().filter(|(path, _)| is_rust(path));
    sources(files.map(|(path, text)| Source::new(path.trim_start_matches("src/"), &text)).collect())
}

fn sources(mut sources: Vec<Source>) -> Vec<Source> {
    let for_tests: Vec<String> = sources.iter().flat_map(Source::test_modules).collect();
    let is_for_tests = |path: &str| {
        let after =
            |module: &String| path.strip_prefix(module.as_str()).map(|rest| rest == ".rs" || rest.starts_with('/'));
        for_tests.iter().filter_map(after).any(|is_inside| is_inside)
    };
    for source in sources.iter_mut().filter(|source| is_for_tests(&source.path)) {
        source.set_for_tests();
    }
    sources
}

fn is_rust(path: &str) -> bool {
    Path::new(path).extension().is_some_and(|extension| extension == "rs")
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).expect("the repository is readable")
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The text files under a folder of the repository, by path; none when there is no such folder.
fn files_under(folder: &str) -> Vec<(String, String)> {
    let Ok(entries) = fs::read_dir(root().join(folder)) else { return Vec::new() };
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("a folder can be listed").path()).collect();
    paths.sort();
    paths.iter().flat_map(|path| file_or_folder(path)).collect()
}

fn file_or_folder(path: &Path) -> Vec<(String, String)> {
    let name = path.strip_prefix(root()).expect("it was listed under the root").to_string_lossy().into_owned();
    if path.is_dir() {
        return files_under(&name);
    }
    fs::read_to_string(path).map(|text| (name, text)).into_iter().collect()
}

mod each_rule_can_fail {
    use super::*;

    fn house() -> BTreeMap<String, u8> {
        floors(
            "//! | floor | modules | what |\n//! | 1 | [`domain`], [`diagnostic`] | x |\n//! | 2 | [`files`], [`feed`] | `y` |\n//! | 8 | [`cli`] | z |\n",
        )
    }

    fn complaints(files: &[(&str, &str)]) -> Vec<String> {
        let sources: Vec<Source> = files.iter().map(|(path, text)| Source::new(path, text)).collect();
        [missing_floors(&sources, &house()), wrong_arrows(&sources, &house())].concat()
    }

    fn stray(path: &str, text: &str) -> usize {
        strays(&Source::new(path, text)).len()
    }

    #[test]
    fn the_table_of_floors_is_read() {
        let expected = [("cli", 8), ("diagnostic", 1), ("domain", 1), ("feed", 2), ("files", 2)];
        assert_eq!(house(), expected.map(|(name, floor)| (name.to_owned(), floor)).into());
    }

    #[test]
    fn an_arrow_up_is_found_in_every_spelling() {
        for text in [
            "use crate::cli::run;",
            "pub(crate) use crate::{domain::ids, cli};",
            "use crate::{\n    domain::{a, b},\n    cli::Verb,\n};",
            "fn f() {\n    crate::cli::run();\n}",
            "#[cfg(test)]\nmod tests {\n    use crate::cli;\n}",
        ] {
            assert_eq!(complaints(&[("feed/rss.rs", text)]).len(), 1, "{text}");
        }
        for text in
            ["// use crate::cli;", "let x = \"crate::cli\";", "let x = r#\"crate::cli \"#;", "use crate::domain;"]
        {
            assert_eq!(complaints(&[("feed/rss.rs", text)]), Vec::<String>::new(), "{text}");
        }
    }

    #[test]
    fn an_arrow_cannot_hide_behind_super() {
        assert_eq!(complaints(&[("feed/mod.rs", "use super::cli;")]).len(), 1);
        assert_eq!(complaints(&[("feed/rss.rs", "use super::super::cli;")]).len(), 1);
        assert_eq!(
            complaints(&[("feed/rss.rs", "use super::x;\n#[cfg(test)]\nmod t {\n    use super::super::y;\n}")]).len(),
            0
        );
    }

    #[test]
    fn the_ground_imports_nothing_of_the_house() {
        assert_eq!(complaints(&[("domain/post.rs", "use crate::diagnostic::Place;")]).len(), 1);
        assert_eq!(complaints(&[("domain/post.rs", "use crate::domain::ids;")]).len(), 0);
    }

    #[test]
    fn a_circle_on_one_floor_is_found_and_a_line_is_not() {
        let there = ("files/mod.rs", "use crate::feed;");
        assert_eq!(complaints(&[there]).len(), 0);
        assert_eq!(complaints(&[there, ("feed/mod.rs", "use crate::files;")]).len(), 2);
    }

    #[test]
    fn a_module_without_a_floor_is_found() {
        assert_eq!(complaints(&[("attic/mod.rs", "")]).len(), 1);
        assert_eq!(complaints(&[("main.rs", "fieldpost::cli::main()")]).len(), 0);
    }

    #[test]
    fn each_absence_is_noticed_outside_its_room_and_only_there() {
        for (text, home) in [
            ("println!()", "cli/build.rs"),
            ("let a = std::env::var(\"A\");", "config/mod.rs"),
            ("let now = chrono::Utc::now();", "config/clock.rs"),
            ("let now = tokio::time::Instant::now();", "smtp/mod.rs"),
            ("std::fs::write(path, bytes)", "files/mod.rs"),
            ("std::process::Command::new(\"git\")", "content/git.rs"),
            ("let c = std::net::TcpStream::connect(a);", "smtp/wire.rs"),
        ] {
            assert!(stray("render/mod.rs", text) > 0, "{text}");
            assert_eq!(stray(home, text), 0, "{text}");
        }
        assert_eq!(stray("render/mod.rs", "x.unwrap()"), 1);
        assert_eq!(stray("render/mod.rs", "x.unwrap_or(1); pretty_println!(); // println!()"), 0);
    }

    #[test]
    fn tests_may_do_what_the_binary_may_not() {
        let text =
            "#[cfg(test)]\nmod samples;\nfn f() {\n    a.unwrap();\n}\n#[cfg(test)]\nfn g() {\n    b.unwrap();\n}\n";
        assert_eq!(stray("render/mod.rs", text), 1);
        let c = "c.unwrap()";
        let names = ["render/samples.rs", "render/samples/a.rs", "render/samples2.rs", "feed/samples.rs"];
        let files = names.map(|name| (name, c)).into_iter().chain([("render/mod.rs", text)]);
        let all = sources(files.map(|(path, text)| Source::new(path, text)).collect());
        assert_eq!(all.iter().map(|source| strays(source).len()).collect::<Vec<_>>(), [0, 0, 1, 1, 1]);
    }

    #[test]
    fn a_crate_away_from_home_is_found() {
        assert_eq!(stray("publish/mod.rs", "use rss::Channel;"), 1);
        assert_eq!(stray("feed/rss.rs", "use rss::Channel;"), 0);
        assert_eq!(stray("publish/mod.rs", "feed::rss::write();"), 0);
        assert_eq!(stray("render/mod.rs", "#[cfg(test)]\nmod tests {\n    use rss::Channel;\n}"), 0);
    }

    #[test]
    fn a_long_file_and_an_unfinished_one_are_found() {
        assert_eq!(untidiness("src/a.rs", &"x\n".repeat(LONGEST_FILE + 1)).len(), 1);
        assert_eq!(untidiness("src/a.rs", &"x\n".repeat(LONGEST_FILE)).len(), 0);
        assert_eq!(untidiness("scripts/a", concat!("# TO", "DO: more")).len(), 1);
    }
}
