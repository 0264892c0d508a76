use super::*;

fn formula(tex: &str) -> Subject {
    Subject::Formula { tex: tex.to_owned(), style: Style::Display }
}

fn entries(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

#[test]
fn the_same_subject_is_the_same_picture_with_and_without_a_cache() {
    let folder = tempfile::tempdir().unwrap();
    let subject = formula("\\frac{a}{b}");
    let fresh = Pictures::default();
    let picture = fresh.of(&subject).unwrap();
    let bytes = fresh.bytes(&subject).unwrap();
    for _ in 0..2 {
        let cached = Pictures::cached_in(folder.path(), Macros::default());
        assert_eq!(cached.of(&subject).unwrap(), picture);
        assert_eq!(cached.bytes(&subject).unwrap(), bytes);
    }
    assert!(picture.site_path.starts_with("pictures/") && picture.site_path.len() == 29, "{picture:?}");
    assert_eq!(entries(folder.path()).len(), 1);
}

#[test]
fn another_picture_has_another_path() {
    let pictures = Pictures::default();
    let path = |tex| pictures.of(&formula(tex)).unwrap().site_path;
    assert_ne!(path("a+b"), path("a+c"));
    let mut macros = Macros::default();
    macros.define("a", "c").unwrap();
    let with_macros = Pictures { macros, ..Pictures::default() };
    assert_ne!(with_macros.of(&formula("\\a+b")).unwrap().site_path, path("a+b"));
}

#[test]
fn a_damaged_or_missing_entry_is_made_again() {
    let folder = tempfile::tempdir().unwrap();
    let subject = formula("\\sqrt x");
    let ask = || {
        let pictures = Pictures::cached_in(folder.path(), Macros::default());
        (pictures.of(&subject).unwrap(), pictures.bytes(&subject).unwrap())
    };
    let first = ask();
    for path in entries(folder.path()) {
        std::fs::write(&path, "damaged").unwrap();
        assert_eq!(ask(), first, "{}", path.display());
        assert_ne!(std::fs::read(&path).unwrap(), b"damaged");
        std::fs::remove_file(&path).unwrap();
        assert_eq!(ask(), first);
        assert!(path.exists());
    }
}

#[test]
fn a_cache_that_cannot_be_written_does_no_harm() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "in the way").unwrap();
    let pictures = Pictures::cached_in(&file, Macros::default());
    assert!(pictures.bytes(&formula("\\frac12")).is_ok());
    pictures.sweep();
}

#[test]
fn what_nobody_asked_for_is_forgotten_once_something_new_was_made() {
    let folder = tempfile::tempdir().unwrap();
    let session = |formulas: &[&str]| {
        let pictures = Pictures::cached_in(folder.path(), Macros::default());
        for tex in formulas {
            pictures.of(&formula(tex)).unwrap();
        }
        pictures.sweep();
        entries(folder.path()).len()
    };
    assert_eq!(session(&["a+b", "a+c"]), 2);
    assert_eq!(session(&["a+b"]), 2, "nothing was made, so nothing is looked at");
    assert_eq!(session(&["a+b", "a+d"]), 2);
    assert_eq!(session(&["a+e"]), 1);
}

#[test]
fn asked_by_many_at_once_it_is_made_once() {
    let pictures = Pictures::default();
    let subject = formula("\\int_0^1 x");
    let paths: Vec<String> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(|| pictures.of(&subject).unwrap().site_path)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert!(paths.iter().all(|path| *path == paths[0]));
    assert_eq!(locked(&pictures.slots).len(), 1);
}

#[test]
fn a_formula_that_is_text_is_no_picture() {
    let pictures = Pictures::default();
    assert!(matches!(pictures.formula("n^2", Style::Inline), Ok(Formula::Text(_))));
    assert!(matches!(pictures.formula("n^2", Style::Display), Ok(Formula::Picture(_))));
    assert!(matches!(pictures.formula("\\frac12", Style::Inline), Ok(Formula::Picture(_))));
    assert_eq!(pictures.formula("a + \\nonsense", Style::Inline).unwrap_err().at, 4..13);
}
