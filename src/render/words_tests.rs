//! What readers see in another language than English.

use super::tests::{every_page, feeds, site, theme};
use super::*;
use crate::config::MailPictures;
use crate::domain::digest::Period;
use crate::domain::document::{AdmonitionKind, Alignment, Block};
use crate::domain::post::{Article, Post};
use crate::domain::publication::Publication;
use crate::domain::subscriber::Cadence;
use crate::domain::words::Word;
use crate::pictures::Pictures;
use crate::render::sample::{self, document, paragraph, text};

/// A publication whose words in German are their names in brackets, with what is filled in.
fn publication() -> Publication {
    let mut publication = sample::publication("https://example.org/");
    publication.subscribe_url = Some("https://example.org/subscribe".into());
    for word in Word::ALL {
        let said = format!("‹{}›{}", word.key(), word.gaps().collect::<String>());
        publication.words.say("de", *word, said);
    }
    publication
}

/// A post in German that shows all there is.
fn german() -> Article {
    let mut article = sample::post("T", "t", document());
    article.post.language = Some("de".into());
    article.post.updated = Some(article.post.date + chrono::Days::new(3));
    let kinds = [AdmonitionKind::Note, AdmonitionKind::Tip, AdmonitionKind::Important];
    for kind in kinds.into_iter().chain([AdmonitionKind::Warning, AdmonitionKind::Caution]) {
        article.document.blocks.push(Block::Admonition { kind, title: None, blocks: vec![paragraph("x")] });
    }
    let wide = vec![vec![text("x")]; 7];
    article.document.blocks.push(Block::Table {
        alignments: vec![Alignment::Natural; 7],
        head: wide.clone(),
        rows: vec![wide],
    });
    article
}

/// The digest of some posts, all of it.
fn digest_of(publication: &Publication, posts: &[&Post], cadence: Cadence) -> String {
    let now = posts[0].date.to_utc();
    let since = || Period::since(now.date_naive(), now, publication.time_zone);
    let period = Period::last(cadence, now, publication.time_zone).unwrap_or_else(since);
    let (issue, _) = digest_issue(&theme(), &site(publication, &feeds()), &period, posts).unwrap();
    [issue.subject, issue.html, issue.text].concat()
}

/// All that is made for readers, in one text.
fn everything(publication: &Publication, article: &Article) -> String {
    let (theme, feeds) = (theme(), feeds());
    let site = site(publication, &feeds);
    let mut out: String = every_page(article, publication).into_iter().map(|(_, html)| html).collect();
    out += &index(&theme, &site, &[]).unwrap();
    let (issue, _) = issue(&theme, &site, article, MailPictures::Linked).unwrap();
    out += &[issue.html, issue.text, entry(article, publication, &Pictures::default()).html].concat();
    let mut long = article.clone();
    let blocks = &mut long.document.blocks;
    *blocks = std::iter::repeat_n(&*blocks, 40).flatten().cloned().collect();
    out += &super::issue(&theme, &site, &long, MailPictures::Linked).unwrap().0.html;
    let one = Post { summary: "word ".repeat(20_000), ..article.post.clone() };
    for cadence in [Cadence::Weekly, Cadence::Monthly, Cadence::Every] {
        out += &digest_of(publication, &[&one, &article.post], cadence);
        out += &digest_of(publication, &[&one, &one, &article.post], cadence);
    }
    out + &digest_of(publication, &[&article.post], Cadence::Weekly)
}

#[test]
fn every_word_is_said_in_the_language_of_what_it_stands_in() {
    let mut publication = publication();
    publication.language = "de-AT".into();
    let out = everything(&publication, &german());
    let unsaid: Vec<&str> =
        Word::ALL.iter().map(|word| word.key()).filter(|key| !out.contains(&format!("‹{key}›"))).collect();
    assert_eq!(unsaid, [] as [&str; 0]);
    for gap in Word::ALL.iter().flat_map(|word| word.gaps()) {
        assert!(!out.contains(gap), "{gap} is filled in everywhere");
    }
}

#[test]
fn a_post_speaks_its_own_language_and_the_pages_of_all_that_of_the_publication() {
    let publication = publication();
    let said = |language: Option<&str>| {
        let mut article = german();
        article.post.language = language.map(Into::into);
        every_page(&article, &publication)
    };
    for (name, html) in said(Some("de")) {
        let is_of_the_post = name == "page" || name == "redirect";
        assert_eq!(html.contains('‹'), is_of_the_post, "{name}: {html}");
    }
    assert!(said(None).iter().all(|(_, html)| !html.contains('‹')));
}
