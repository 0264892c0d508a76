//! Pictures, diagrams and cards of whole sites: in pages, in mail, in feeds, and what is said
//! of those that are wrong.

use std::fs;

use crate::support::mail::Mail;
use crate::support::sink::{Script, Sink};
use crate::support::site::Site;
use crate::support::tools::judge;

/// A drawing wider than a mail.
const DRAWING: &str = "<svg xmlns='http://www.w3.org/2000/svg' width='900' height='300'><rect width='400' height='300' fill='#1a55a5'/></svg>";

const POST: &str = "---\ntitle: Pictures\ndate: 2026-01-02\nimage: drawing.svg\n---\n\n![A photograph](photo.png \"A caption\")\n\n```mermaid title=\"The way\"\nflowchart LR\n  A[Post] --> B[Mail]\n```\n\n```mermaid\nflowchart LR\n  subgraph x\n```\n";

/// A photograph as PNG, wider than a page.
fn photograph() -> Vec<u8> {
    let shade = |x: u32, y: u32, step: u32| u8::try_from((x * step + y * 7 + x * y % 11) % 256).unwrap();
    let pixels =
        image::RgbImage::from_fn(1800, 60, |x, y| image::Rgb([shade(x, y, 3), shade(x, y, 5), shade(x, y, 9)]));
    let mut bytes = std::io::Cursor::new(Vec::new());
    pixels.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    bytes.into_inner()
}

fn site() -> Site {
    let site = Site::with_config("[subscribers]\nfile = \"subscribers.toml\"\n");
    site.write_subscribers(1);
    site.write("content/photo.png", photograph());
    site.write("content/drawing.svg", DRAWING);
    site.write("content/pictures.md", POST);
    site.write("content/plain.md", "---\ntitle: Plain\ndate: 2026-01-01\n---\n\nWords.\n");
    site
}

/// The paths of made pictures in some HTML, without those that stand there twice.
fn made(html: &str) -> Vec<String> {
    let mut paths: Vec<String> = html
        .split("pictures/")
        .skip(1)
        .map(|rest| rest.split(['"', ' ', '\'']).next().unwrap().to_owned())
        .filter(|name| !name.is_empty() && name.contains('.'))
        .collect();
    paths.sort();
    paths.dedup();
    paths
}

#[test]
fn every_medium_shows_pictures_in_a_form_of_its_own() {
    let site = site();
    let ran = site.run(&["publish", "--yes", "--backfill", "1"]).expect_code(0);
    assert!(ran.stderr().contains("what is opened here has no `end`"), "{}", ran.stderr());
    let page = site.read("public/pictures/index.html");
    assert!(page.contains(" 720w, ") && page.contains(" 1440w\" sizes="), "{page}");
    assert!(page.contains(".svg\" alt=\"The way\" width="), "{page}");
    assert!(page.contains("subgraph x"), "a diagram that cannot be drawn stays as it was typed: {page}");
    let outbox = fs::read_dir(site.file(".fieldpost/outbox/new")).unwrap().next().unwrap().unwrap().path();
    let mail = Mail::parse(&fs::read(outbox).unwrap()).part("text/html");
    for (what, html) in [("mail", &mail), ("feed", &site.read("public/feed.xml"))] {
        assert!(!html.contains(".svg"), "{what}: {html}");
        assert!(html.contains("https://notes.example.org/pictures/"), "{what}");
    }
    assert!(!mail.contains("srcset"));
    for name in [made(&page), made(&mail)].concat() {
        assert!(site.file("public/pictures").join(&name).exists(), "{name}");
    }
}

#[test]
fn a_post_without_a_picture_is_shared_with_a_card() {
    let site = site();
    site.run(&["build"]).expect_code(0);
    let card = |path: &str| {
        let page = site.read(path);
        let shared = page.split("og:image\" content=\"").nth(1).map(|rest| rest.split('"').next().unwrap().to_owned());
        shared.map(|url| url.trim_start_matches("https://notes.example.org/").to_owned())
    };
    let plain = fs::read(site.file("public").join(card("public/plain/index.html").unwrap())).unwrap();
    let size = image::load_from_memory(&plain).unwrap();
    assert_eq!((size.width(), size.height()), (1200, 630));
    let with_cover = fs::read(site.file("public").join(card("public/pictures/index.html").unwrap())).unwrap();
    assert_eq!(image::load_from_memory(&with_cover).unwrap().width(), 1200, "the cover, as a PNG");
    let config = site.read("fieldpost.toml");
    site.write("fieldpost.toml", format!("{config}\n[output]\ncards = 0\n"));
    site.run(&["build"]).expect_code(0);
    assert_eq!(card("public/plain/index.html"), None);
    site.write("fieldpost.toml", config);
    site.write("content/plain.md", "---\ntitle: 漢字\ndate: 2026-01-01\nslug: plain\n---\n\nWords.\n");
    let ran = site.run(&["build"]).expect_code(0);
    assert!(ran.stderr().contains("stands on no card"), "{}", ran.stderr());
}

#[test]
fn a_picture_that_cannot_be_used_is_named_with_its_place_and_the_rest_goes_on() {
    let site = site();
    let bomb = [b"GIF89a".as_slice(), &[0xFF; 4], &[0, 0, 0, 0x3B]].concat();
    for (name, bytes) in [
        ("cut.png", &photograph()[..900]),
        ("bomb.gif", &bomb),
        ("other.avif", b"\0\0\0\x20ftypavif\0\0\0\0"),
        ("words.jpg", b"no picture at all"),
    ] {
        site.write(
            "content/odd.md",
            format!("---\ntitle: Odd\ndate: 2026-01-03\n---\n\nWords, and\n\n![It]({name})\n"),
        );
        site.write(&format!("content/{name}"), bytes);
        let ran = site.run(&["build"]);
        assert!(ran.stderr().contains("content/odd.md:8:1") && ran.stderr().contains("help:"), "{}", ran.stderr());
        assert!(site.file("public/odd/index.html").exists());
    }
}

/// A publication whose mails hold their pictures, with these recipients.
fn embedding(rest: &str, recipients: &[&str]) -> Site {
    let site =
        Site::with_config(&format!("[subscribers]\nfile = \"subscribers.toml\"\n[mail]\nimages = \"cid\"\n{rest}"));
    let person = |name: &&str| format!("[[subscriber]]\nemail = \"{name}@example.org\"\n");
    site.write("subscribers.toml", recipients.iter().map(person).collect::<String>());
    site.write("content/photo.png", photograph());
    site.write("content/drawing.svg", DRAWING);
    let text = "Words.\n\n![A photograph](photo.png)\n\n![A drawing](drawing.svg)\n\n![It again](photo.png)\n\n$$\\frac a b$$\n";
    site.write("content/pictures.md", format!("---\ntitle: Pictures\ndate: 2026-01-02\n---\n\n{text}"));
    site
}

fn only_mail(site: &Site) -> std::path::PathBuf {
    fs::read_dir(site.file(".fieldpost/outbox/new")).unwrap().next().unwrap().unwrap().path()
}

/// The cids that some HTML names, and the Content-IDs of a message; both without those that stand
/// there twice.
fn named_and_there(message: &[u8]) -> [Vec<String>; 2] {
    let html = Mail::parse(message).part("text/html");
    let message = String::from_utf8_lossy(message).into_owned();
    let found = |text: &str, before: &str, end: char| {
        let mut ids: Vec<String> =
            text.split(before).skip(1).map(|rest| rest.split(end).next().unwrap_or_default().to_owned()).collect();
        ids.sort();
        ids.dedup();
        ids
    };
    [found(&html, "src=\"cid:", '"'), found(&message, "\r\nContent-ID: <", '>')]
}

#[test]
fn a_mail_that_holds_its_pictures_holds_each_that_it_shows_and_no_other() {
    let site = embedding("", &["ada"]);
    site.run(&["publish", "--yes", "--backfill", "1"]).expect_code(0);
    let file = only_mail(&site);
    judge("tests/support/check_mail.py", &[&file]);
    let message = fs::read(&file).unwrap();
    let [named, there] = named_and_there(&message);
    assert_eq!((named.len(), &named), (3, &there));
    let html = Mail::parse(&message).part("text/html");
    assert_eq!(html.matches("src=\"cid:").count(), 4, "{html}");
    assert!(!html.contains("src=\"https://"), "{html}");
    let text = Mail::parse(&message).part("text/plain");
    assert!(text.contains("[image: A photograph]"), "{text}");
}

#[test]
fn pictures_for_which_there_is_no_room_stay_on_the_site_and_the_author_is_told() {
    let site = embedding("cid_cap = \"3 KB\"\n", &["ada"]);
    let said = site.run(&["publish", "--yes", "--backfill", "1"]).expect_code(0).stderr();
    assert!(said.contains("warning[mail-pictures]: one picture of "), "{said}");
    let message = fs::read(only_mail(&site)).unwrap();
    let [named, there] = named_and_there(&message);
    assert_eq!((named.len(), &named), (2, &there));
    let html = Mail::parse(&message).part("text/html");
    assert_eq!(html.matches("src=\"https://notes.example.org/pictures/").count(), 2, "{html}");
    let checked = site.run(&["check", "--json"]).expect_code(0).json();
    let found = checked["diagnostics"].as_array().and_then(|all| all.iter().find(|one| one["code"] == "mail-pictures"));
    assert!(found.is_some_and(|found| found["line"].as_u64() > Some(5)), "{checked}");
}

#[test]
fn a_resend_holds_the_same_pictures_when_their_files_are_gone() {
    let sink = Sink::start(Script::default());
    let relay = format!("[[relay]]\nurl = \"smtp://127.0.0.1:{}\"\n[delivery]\nin_doubt = \"hold\"\n", sink.port());
    let site = embedding(&relay, &["once-drop-after-data-ada"]);
    site.run(&["publish", "--yes", "--backfill", "1"]).expect_code(1);
    fs::remove_file(site.file("content/photo.png")).unwrap();
    fs::write(site.file("content/drawing.svg"), DRAWING.replace("#1a55a5", "#a51a1a")).unwrap();
    fs::remove_dir_all(site.file(".fieldpost/cache")).unwrap();
    fs::remove_dir_all(site.file("public")).unwrap();
    let campaign = site.report()["campaigns"][0]["id"].as_str().unwrap().to_owned();
    site.run(&["resolve", &campaign, "resend"]).expect_code(0);
    site.run(&["publish", "--yes"]);
    let copies = sink.messages();
    assert_eq!(copies.len(), 2);
    assert!(copies[0].bytes == copies[1].bytes, "not the same bytes");
    assert_eq!(named_and_there(&copies[1].bytes)[1].len(), 3);
}

#[test]
fn images_in_raw_html_are_shown_as_those_in_markdown_are() {
    let site = Site::with_config("[subscribers]\nfile = \"subscribers.toml\"\n");
    site.write_subscribers(1);
    site.write("content/my photo.png", photograph());
    let raw = "<p align=\"center\"><img src=\"my%20photo.png\" alt='A \"large\" one' onload=\"x()\"></p>\n\n\
               Half: <img width=\"50%\" src='my photo.png'> and small: <img src=\"my photo.png\" style=\"width: 90px\">.\n\n\
               <img src=\"https://a.example/x.png\" width=\"1200\" height=\"600\" alt=\"elsewhere\">\n";
    site.write("content/raw.md", format!("---\ntitle: Raw\ndate: 2026-01-02\n---\n\nWords.\n\n{raw}"));
    site.run(&["publish", "--yes", "--backfill", "1"]).expect_code(0);
    let mail = Mail::parse(&fs::read(only_mail(&site)).unwrap()).part("text/html");
    let tags: Vec<&str> = mail.split("<img ").skip(1).map(|rest| rest.split('>').next().unwrap_or_default()).collect();
    let copy = made(&mail);
    assert_eq!(copy.len(), 1, "{tags:#?}");
    let src = format!("src=\"https://notes.example.org/pictures/{}\"", copy[0]);
    for (tag, size) in
        tags.iter().zip(["width=\"600\" height=\"20\"", "width=\"300\" height=\"10\"", "width=\"90\" height=\"3\""])
    {
        assert!(tag.starts_with(&src) && tag.contains(size), "{size}: {tag}");
    }
    assert!(tags[0].contains("alt=\"A &quot;large&quot; one\""), "{}", tags[0]);
    assert!(
        tags[3].contains("width=\"600\" height=\"300\"") && tags[3].contains("https://a.example/x.png"),
        "{}",
        tags[3]
    );
    assert!(site.file("public/pictures").join(&copy[0]).exists());
    let page = site.read("public/raw/index.html");
    assert!(
        page.contains("onload=\"x()\"") && !page.contains("src=\"../pictures/"),
        "the web keeps what the author wrote: {page}"
    );
}

#[test]
fn a_picture_in_raw_html_that_mail_cannot_show_is_an_error_with_its_place() {
    let site = Site::with_config("");
    site.write("content/x.avif", b"\0\0\0\x20ftypavif\0\0");
    site.write("content/raw.md", "---\ntitle: Raw\ndate: 2026-01-02\n---\n\n<img src=\"x.avif\" alt=\"x\">\n");
    let said = site.run(&["build"]).expect_code(2).stderr();
    assert!(said.contains("error[picture]: AVIF") && said.contains("content/raw.md:6:11"), "{said}");
}
