//! `check`, as an author or a machine runs it.

use std::io::{Read, Write};
use std::net::TcpListener;

use crate::support::site::Site;

const CONFIG: &str = "[publication]\ntitle = \"T\"\nbase_url = \"https://notes.example.org\"\n[source]\npath = \"content\"\n[mail]\nfrom = \"T <t@example.org>\"\n";

/// A publication of one post, whose text begins with this and says enough to be no mail of pictures.
fn site(config: &str, body: &str) -> Site {
    let site = Site::empty();
    site.write("fieldpost.toml", format!("{CONFIG}{config}"));
    let words = "word ".repeat(20);
    site.write("content/a.md", format!("---\ntitle: A\ndate: 2025-01-15\nsummary: s\n---\n{body}\n{words}\n"));
    site
}

fn codes(site: &Site, arguments: &[&str], exit: i32) -> Vec<(String, u64)> {
    let found = site.run(&[&["check", "--json"], arguments].concat()).expect_code(exit).json();
    let found = found["diagnostics"].as_array().expect("diagnostics").clone();
    let code = |one: &serde_json::Value| one["code"].as_str().unwrap_or_default().to_owned();
    found.iter().map(|one| (code(one), one["line"].as_u64().unwrap_or_default())).collect()
}

#[test]
fn what_could_be_better_is_a_warning_and_fails_only_a_strict_check() {
    let site = site("", "![](https://a.example/x.png)\n");
    assert_eq!(codes(&site, &[], 0), [("alt-missing".to_owned(), 6)]);
    assert_eq!(codes(&site, &["--strict"], 2).len(), 1);
    site.run(&["build"]).expect_code(0);
}

#[test]
fn a_warning_is_left_unsaid_with_a_reason() {
    let beside = site("", "<!-- fieldpost ignore alt-missing: decoration -->\n\n![](https://a.example/x.png)\n");
    assert_eq!(codes(&beside, &["--strict"], 0), []);
    beside.run(&["build"]).expect_code(0);
    let page = beside.read("public/a/index.html");
    assert!(!page.contains("ignore alt-missing"), "the comment is not for readers");

    let silence = "[[silence]]\ncode = \"alt-missing\"\npath = \"content\"\nreason = \"scans\"\n";
    assert_eq!(codes(&site(silence, "![](https://a.example/x.png)\n"), &["--strict"], 0), []);
    let unfounded = site("[[silence]]\ncode = \"alt-missing\"\n", "x\n");
    let said = unfounded.run(&["check"]).expect_code(2);
    assert!(said.stderr().contains("has no `reason`"), "{}", said.stderr());
}

#[test]
fn what_is_found_out_about_whole_posts_has_its_line_too() {
    let site = site("", "x\n");
    site.write("content/b.md", "---\ndate: 2025-01-16\nsummary: s\ntitle: 'a'\naliases: [/a/]\n---\n\n\n```\nx\n```\n");
    let chapter = |n: usize| format!("## Part {n}\n\n{}\n\n", "word ".repeat(2000));
    let chapters: String = (0..12).map(chapter).collect();
    site.write("content/c.md", format!("---\ntitle: C\ndate: 2025-01-17\n---\n\n{chapters}"));
    site.write("content/d.md", "---\ntitle: D\ndate: 2025-01-18\n---\n\n```\nx\n```\n");
    let found = site.run(&["check", "--json"]).expect_code(0).json();
    let said = found["diagnostics"].as_array().expect("diagnostics");
    let shown = |one: &serde_json::Value| format!("{} {}:{}", one["code"], one["file"], one["line"]).replace('"', "");
    let mut found: Vec<String> = said.iter().map(shown).collect();
    found.sort();
    let expected = [
        "alias-taken content/b.md:5",
        "mail-size content/c.md:38",
        "summary-missing content/d.md:6",
        "title-repeated content/b.md:4",
    ];
    assert_eq!(found, expected);
    let size = said.iter().find(|one| one["code"] == "mail-size").expect("found above");
    assert!(size["message"].to_string().contains("before \\\"Part 8\\\""), "which stands there: {size}");
}

#[test]
fn templates_of_ones_own_are_looked_through() {
    let site = site("[templates]\npath = \"templates\"\n", "x\n");
    site.write("templates/style.css", "p { color: #999; background: #fff }\n");
    let found = site.run(&["check", "--json"]).expect_code(0).json();
    let contrast =
        found["diagnostics"].as_array().and_then(|all| all.iter().find(|one| one["code"] == "contrast")).cloned();
    assert_eq!(contrast.expect("a warning")["file"], "templates/style.css");
}

#[test]
fn other_sites_are_asked_only_when_told_to_and_private_ones_only_when_allowed() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    let server = std::thread::spawn(move || {
        for _ in 0..3 {
            let (mut stream, _) = listener.accept().expect("a question");
            let mut head = [0; 1024];
            let read = stream.read(&mut head).unwrap_or_default();
            let is_there = String::from_utf8_lossy(&head[..read]).contains(" /there ");
            let status = if is_there { "200 OK" } else { "404 Not Found" };
            let _ = stream.write_all(format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n").as_bytes());
        }
    });
    let site = site("", &format!("[one thing](http://{address}/there)\n\n[another](http://{address}/gone)\n"));
    assert_eq!(codes(&site, &[], 0), [], "nobody is asked");
    let refused = codes(&site, &["--links"], 0);
    assert_eq!(refused, [("dead-link".to_owned(), 6), ("dead-link".to_owned(), 8)], "a private address");
    assert_eq!(codes(&site, &["--links", "--private"], 0), [("dead-link".to_owned(), 8)]);
    server.join().expect("two questions, and one by GET");
}
