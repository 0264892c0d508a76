//! Whole folders, as authors have them.
use super::*;
#[test]
fn scratch() {
    let dir = std::path::PathBuf::from(std::env::var("SCRATCH").unwrap());
    let source = dir.join(std::env::var("SRC").unwrap_or_default());
    let base_url = SiteUrl::parse("https://notes.example.org/x/").unwrap();
    let t = std::time::Instant::now();
    let content = load(&Options {
        root: &dir,
        source: &source,
        output: &dir.join("public"),
        time_zone: Tz::UTC,
        base_url: &base_url,
        default_author: None,
        known: &[],
        retired: &[],
        ignore: &[],
        now: chrono::Utc::now(),
    });
    eprintln!("{:?} posts {}", t.elapsed(), content.posts.len());
    for d in content.diagnostics.iter().take(60) {
        eprintln!("{d}");
    }
    eprintln!("{} diagnostics", content.diagnostics.len());
    for p in content.posts.iter().take(6) {
        eprintln!(
            "{} | {} | {} | {} | {} | {:?} | {:?} | {:?} | {:?} | {:?} | {:?}\n   {}",
            p.id,
            p.source,
            p.slug.as_str(),
            p.title,
            p.date,
            p.updated,
            p.authors,
            p.tags,
            p.image,
            p.number,
            p.assets,
            p.summary
        );
        if std::env::var("DOC").is_ok() {
            eprintln!("{:#?}", p.document);
        }
    }
}
