//! Files that nobody should have to read.

use proptest::prelude::*;

use super::*;

#[test]
fn wrong_files_are_reported_and_the_good_ones_go_on() {
    let folder = Folder::new(&[
        ("posts/good.md", "---\ntitle: Good\ndate: 2025-01-15\n---\n"),
        ("posts/toml.md", "+++\ntitle = \"a\"\ndate = oops\n+++\n"),
        ("posts/date.md", "---\ntitle: a\ndate: soon\n---\n"),
        ("posts/deep.md", &format!("{}x", "> ".repeat(500))),
    ]);
    folder.write("posts/utf8.md", b"# ok\nline \xFF two");
    folder.write("posts/utf16.md", b"\xFF\xFE#\0 \0");
    let outside = tempfile::tempdir().unwrap();
    std::fs::write(outside.path().join("x.md"), "# secret").unwrap();
    let link = |from: &Path, to: &str| std::os::unix::fs::symlink(from, folder.path().join("posts").join(to)).unwrap();
    link(&outside.path().join("x.md"), "outside.md");
    link(outside.path(), "outside-folder");
    link(Path::new("nowhere.md"), "broken.md");
    link(Path::new("good.md"), "zz-inside.md");
    let fifo = Command::new("mkfifo").arg(folder.path().join("posts/fifo.md")).status().unwrap();
    assert!(fifo.success());
    let large = std::fs::File::create(folder.path().join("posts/large.md")).unwrap();
    large.set_len(100 * 1024 * 1024).unwrap();
    let content = folder.load();
    assert_eq!(sources(&content), ["posts/good.md", "posts/zz-inside.md"]);
    let at = |name: &str| {
        let name = Path::new("posts").join(name);
        let found = content
            .diagnostics
            .iter()
            .find(|d| d.place.file == name && d.severity == Severity::Error)
            .unwrap_or_else(|| panic!("{name:?}"));
        assert!(found.help.is_some(), "{found}");
        (found.code, found.place.line, found.place.column)
    };
    assert_eq!(at("toml.md"), ("front-matter-syntax", 3, 8));
    assert_eq!(at("date.md"), ("date-invalid", 3, 7));
    assert_eq!(at("deep.md"), ("nesting-too-deep", 1, 201));
    assert_eq!(at("utf8.md"), ("not-utf-8", 2, 6));
    assert_eq!(at("utf16.md"), ("not-utf-8", 0, 0));
    assert_eq!(at("outside.md"), ("symlink-outside", 0, 0));
    assert_eq!(at("outside-folder"), ("symlink-outside", 0, 0));
    assert_eq!(at("broken.md"), ("symlink-broken", 0, 0));
    assert_eq!(at("fifo.md"), ("not-a-file", 0, 0));
    assert_eq!(at("large.md"), ("file-too-large", 0, 0));
}

#[test]
fn hostile_markdown_ends() {
    for unit in [
        "> ",
        "- ",
        "* a\n ",
        "[",
        "![",
        "*a **b ",
        "`",
        "| a ",
        "[^a]",
        "<a ",
        "{{< ",
        "{{< x >}}",
        "{% raw %}",
        "::: note\n",
        "$",
        "<!--",
        "&#8;",
        "1. ",
        "\\",
        "~~a",
        "# a\n",
        "[^a]: [^b]\n",
        "www.a.b ",
        "https://)",
        "[[",
        "![[a|",
        "[[a]] ",
        "\\(",
        "\\[x^2\\] ",
        "\\[\n",
        "{{ site.url }}/",
        "{: .a}\n",
        "a\n: b\n\n",
        ": ",
        ":rocket:",
        ":",
        "a@",
        "a@b.c ",
        "mailto:",
        "xmpp:a@b.c/",
        "[TOC]\n\n# a\n\n",
        "* TOC\n{:toc}\n\n",
        "![a](b){width=",
        "> [!a]\n\n",
        ":::\n",
        "::: a\n",
        "::: a\n:::\n",
        "!!! note\n    ",
        "{{< details >}}",
        "{{< math >}}$",
        "{% chart %}",
        "> - ",
        "| a | b |\n|---|---|\n| [a](b) | *c* |\n\n",
        "a[^1]\n\n[^1]: b\n\n",
        "**a*",
        "<details>\n\n",
        "<b>",
        "]]",
        "](",
    ] {
        let text = unit.repeat(100_000 / unit.len());
        let folder = Folder::new(&[("posts/a.md", &format!("---\ntitle: T\ndate: 2025-01-15\n---\n{text}"))]);
        let started = std::time::Instant::now();
        let content = folder.load();
        assert!(started.elapsed().as_secs() < 10, "{unit:?} took {:?}", started.elapsed());
        assert!(
            content.posts.len() == 1
                || content.diagnostics.iter().any(|d| d.code == "nesting-too-deep" && d.place.line > 4),
            "{unit:?}"
        );
    }
}

#[test]
fn a_post_has_room_for_a_thousand_formulas_to_be_drawn() {
    let formula = |n: usize| format!("$\\frac{{{n}}}2$ $x_{{{n}}}$\n\n");
    let formulas = |count: usize| (0..count).map(formula).collect::<Vec<_>>().concat();
    let (_, diagnostics) = one(&formulas(1000));
    assert_eq!(codes(&diagnostics), [] as [&str; 0]);
    let (post, diagnostics) = one(&(formulas(1001) + "$\\frac{0}2$\n\n$$\\frac{0}2$$\n"));
    assert_eq!(codes(&diagnostics), ["math-many", "math-many"]);
    let lines: Vec<usize> = diagnostics.iter().map(|one| one.place.line).collect();
    assert_eq!(lines[1] - lines[0], 4, "one that was drawn before stands between them");
    let shown = format!("{:?}", post.document);
    assert!(shown.contains("Code(\"\\\\frac{1000}2\")") && shown.contains("Math(\"x_{1000}\")"));
    assert!(shown.contains("text: \"\\\\frac{0}2\" }], lines: ["), "{}", &shown[shown.len() - 200..]);
}

#[test]
fn a_post_has_room_for_48_kilobytes_of_code_with_colours() {
    let block = |language: &str, bytes: usize| format!("```{language}\n{}\n```\n\n", "x".repeat(bytes - 1));
    let half = block("rust", 24 * 1024);
    let (_, diagnostics) = one(&format!("{half}{}{half}", block("text", 9 * 1024)));
    assert_eq!(codes(&diagnostics), [] as [&str; 0]);
    let (post, diagnostics) = one(&format!("{half}{}{}{}", block("rust", 24 * 1024 + 1), half, block("rust", 2)));
    assert_eq!(codes(&diagnostics), ["code-many"], "it is said once");
    assert_eq!(diagnostics[0].place.line, 5 + 4, "{:?}", diagnostics[0].place);
    let languages = post.document.blocks.iter().map(|block| match block {
        Block::Code { language, .. } => language.as_deref(),
        other => panic!("{other:?}"),
    });
    assert_eq!(languages.collect::<Vec<_>>(), [Some("rust"), None, Some("rust"), None]);
}

#[test]
fn a_missing_folder_is_an_error_and_no_panic() {
    let folder = Folder::new(&[]);
    std::fs::remove_dir(folder.path().join("posts")).unwrap();
    assert_eq!(codes(&folder.load().diagnostics), ["folder-unreadable"]);
}

fn has_forbidden(post: &Read) -> bool {
    // Debug escapes what it must not print: the text of the whole tree, searched for escapes.
    let shown = format!("{:?} {:?} {:?} {:?}", post.document, post.title, post.summary, post.tags);
    // A backslash of the author is two of them here, and begins no escape.
    let shown = shown.replace("\\\\", "");
    shown.contains(super::super::characters::is_forbidden)
        || (0..0x20).filter(|code| ![9, 10, 13].contains(code)).any(|code| shown.contains(&format!("\\u{{{code:x}}}")))
        || shown.contains("\\0")
        || shown.contains("\\u{fffe}")
        || shown.contains("\\u{ffff}")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn no_bytes_make_loading_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), head in 0..5usize) {
        let heads: [&[u8]; 5] = [b"", b"---\ntitle: ", b"+++\ntitle = ", b"{\"title\": ", b"Title: "];
        let folder = Folder::new(&[]);
        folder.write("posts/a.md", &[heads[head], &bytes].concat());
        folder.load();
    }

    #[test]
    fn no_text_brings_a_forbidden_character_into_a_document(
        words in proptest::collection::vec(prop_oneof![
            Just("&#8;"), Just("&#x1F;"), Just("\u{B}"), Just("\u{FFFE}"), Just("\0"), Just("["), Just("]("), Just(")"), Just("`"),
            Just("<b title='"), Just("'>"), Just("\n"), Just("```\u{1} title=\u{2}\n"), Just("[^\u{3}]"), Just("> "), Just("a"), Just("$"),
            Just("{{< figure src='\u{4}' >}}"), Just("<!--"), Just("-->"), Just("![")
        ], 0..30),
        any in "\\PC{0,10}",
    ) {
        let text = format!("---\ntitle: \"T\\x01\"\ndate: 2025-01-15\ntags: [\"\\x02\"]\n---\n{}{any}", words.concat());
        let folder = Folder::new(&[("posts/a.md", &text)]);
        for post in folder.load().posts {
            prop_assert!(!has_forbidden(&post), "{post:?}");
        }
    }

    #[test]
    fn plain_words_come_through_unchanged(words in "[a-zA-Z0-9 ,.äöüß日本{}%]{1,60}") {
        // A tag of Liquid is no plain word.
        prop_assume!(!words.contains("{%"));
        let body = format!("x {words} y");
        let (post, _) = one(&body);
        // Markdown trims lines and folds nothing else in such text.
        let expected: Vec<&str> = body.split_whitespace().collect();
        let shown = prose(&post);
        let found: Vec<&str> = shown.split_whitespace().collect();
        prop_assert_eq!(found, expected);
    }
}
