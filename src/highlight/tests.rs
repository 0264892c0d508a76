use std::fmt::Write as _;

use proptest::prelude::*;

use super::*;

/// The text with each span in brackets, its class before it: `hk[fn] hf[main]()`.
fn shown(language: &str, text: &str) -> String {
    let mut out = String::new();
    let mut done = 0;
    for span in &*spans(language, text) {
        let plain = &text[done..span.range.start];
        write!(out, "{plain}{}[{}]", span.token.class(), &text[span.range.clone()]).unwrap();
        done = span.range.end;
    }
    out + &text[done..]
}

#[test]
fn words_are_told_apart_in_the_languages_that_posts_are_written_about() {
    for (language, text, expected) in [
        (
            "rust",
            "// a\n// b\n#[derive(Debug)]\npub fn f(x: u8) -> Self {\n    println!(\"{x}\");\n}\n",
            "hc[// a\n// b]\nha[#[derive(Debug)]]\nhk[pub fn] hf[f](x: hk[u8]) -> hk[Self] {\n    hf[println!](hs[\"]hn[{x}]hs[\"]);\n}\n",
        ),
        (
            "python",
            "@cache\ndef f(x):\n    return x if x not in y else None  # c\n\nclass A(B):\n",
            "ha[@cache]\nhk[def] hf[f](x):\n    hk[return] x hk[if] x hk[not in] y hk[else] hn[None]  hc[# c]\n\nhk[class] ht[A](ht[B]):\n",
        ),
        ("json", "{\"a\": \"b\", \"c\": [1, true]}\n", "{ha[\"a\"]: hs[\"b\"], ha[\"c\"]: [hn[1], hn[true]]}\n"),
        ("yaml", "a: b\nc:\n  - \"d\" # e\n", "ha[a]: b\nha[c]:\n  - hs[\"d\"] hc[# e]\n"),
        ("toml", "[a]\nb = \"c\" # d\n", "[ht[a]]\nha[b] = hs[\"c\"] hc[# d]\n"),
        ("html", "<p class=\"a\">b</p>\n", "<hk[p] ha[class]=hs[\"a\"]>b</hk[p]>\n"),
        ("css", ".a { color: #fff; }\n", "ha[.a] { ha[color]: hn[#fff]; }\n"),
        ("diff", "--- a\n+++ b\n@@ -1 +1 @@\n-x\n+y\n z\n", "hc[--- a\n+++ b]\nhh[@@ -1 +1 @@]\nhd[-x]\nhi[+y]\n z\n"),
        (
            "bash",
            "for f in *; do echo \"$f\"; done\n",
            "hk[for] f hk[in] *; hk[do] hf[echo] hs[\"]hn[$f]hs[\"]; hk[done]\n",
        ),
        ("ts", "const f = (x: number) => `a${x}`;\n", "hk[const] hf[f] = (x: ht[number]) hk[=>] hs[`a${]xhs[}`];\n"),
        ("sql", "SELECT a FROM t; -- d\n", "hk[SELECT] a hk[FROM] t; hc[-- d]\n"),
        ("go", "func f(x int) error { return nil }\n", "hk[func] hf[f](x ht[int]) ht[error] { hk[return] hn[nil] }\n"),
        ("c", "#include <a.h>\nint main(void);\n", "hk[#include] hs[<a.h>]\nhk[int] hf[main](hk[void]);\n"),
        ("markdown", "# A\n\n`e`\n", "hh[# A]\n\nhs[`e`]\n"),
    ] {
        assert_eq!(shown(language, text), expected, "{language}");
    }
}

#[test]
fn a_language_goes_by_many_names_and_some_names_need_no_grammar() {
    for name in ["rust", "rs", "Rust", "py3", "golang", "c++", "cpp", "hpp", "jsonc", "shell", "zsh", "tsx", "docker"] {
        assert!(languages::grammar(name).is_some(), "{name}");
    }
    for name in ["", "text", "txt", "console", "mermaid", "plaintext"] {
        assert!(is_known(name) && spans(name, "let x = 1;").is_empty(), "{name}");
    }
    assert!(!is_known("pyhton") && spans("pyhton", "def f(): pass").is_empty());
    for name in COMMON {
        assert!(is_known(name), "{name} is offered as a correction");
    }
    for (alias, meant) in languages::ALIASES {
        assert!(languages::grammar(meant).is_some(), "{alias} means {meant}");
    }
}

#[test]
fn what_no_person_wrote_stays_plain() {
    let line = "let x = 1;\n";
    assert!(!spans("rust", &line.repeat(9_000)).is_empty());
    assert!(spans("rust", &line.repeat(10_000)).is_empty());
    assert!(spans("rust", &"let x = 1; ".repeat(200)).is_empty());
    let long = format!("{line}\n", line = "let x = 1; ".repeat(180));
    assert!(!spans("rust", &long.repeat(2)).is_empty());
    assert!(spans("rust", &long.repeat(3)).is_empty());
}

#[test]
fn hostile_code_is_soon_done_with() {
    for language in ["rust", "ts", "html", "markdown"] {
        for mark in ["(", "_", "<!--", "a(", "r#\"", "!["] {
            for (length, lines) in [(1_900, 2), (90, 1_100)] {
                let text = (mark.repeat(length / mark.len()) + "\n").repeat(lines);
                let started = std::time::Instant::now();
                spans(language, &text);
                let taken = started.elapsed();
                assert!(taken.as_secs() < 20, "{language} took {taken:?} for {lines} lines of {mark}");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn spans_are_in_order_apart_and_between_characters(
        language in "rust|python|html|bash|markdown|yaml|diff",
        text in "([a-z \"'`#/*<>{}()=+-]|\n|é|日|//|fn |def ){0,60}",
    ) {
        let mut done = 0;
        for span in &*spans(&language, &text) {
            prop_assert!(done <= span.range.start && span.range.start < span.range.end);
            prop_assert!(text.get(span.range.clone()).is_some_and(|words| words.trim() == words));
            done = span.range.end;
        }
        prop_assert!(done <= text.len());
    }
}
