//! Which grammar a language's name means.

use std::sync::LazyLock;

use syntect::parsing::{SyntaxReference, SyntaxSet};

static GRAMMARS: LazyLock<SyntaxSet> = LazyLock::new(two_face::syntax::extra_newlines);

/// Names that the grammars do not know, and what is meant by them.
pub(super) const ALIASES: [(&str, &str); 35] = [
    ("assembly", "asm"),
    ("bash-session", "bash"),
    ("cjs", "js"),
    ("csharp", "c#"),
    ("cts", "ts"),
    ("docker", "dockerfile"),
    ("elixir-iex", "elixir"),
    ("fortran", "f90"),
    ("fsharp", "f#"),
    ("golang", "go"),
    ("javascriptreact", "tsx"),
    ("json5", "json"),
    ("jsonc", "json"),
    ("jsonl", "json"),
    ("julia-repl", "julia"),
    ("jsx", "tsx"),
    ("ksh", "bash"),
    ("latex", "tex"),
    ("make", "makefile"),
    ("mdx", "md"),
    ("mjs", "js"),
    ("mts", "ts"),
    ("mysql", "sql"),
    ("objc", "objective-c"),
    ("pgsql", "sql"),
    ("plpgsql", "sql"),
    ("postgresql", "sql"),
    ("postgres", "sql"),
    ("py3", "python"),
    ("python3", "python"),
    ("shell", "bash"),
    ("sqlite", "sql"),
    ("typescriptreact", "tsx"),
    ("udiff", "diff"),
    ("zsh", "bash"),
];

/// Names that mean no language, or one that is drawn, or one that is known and has no grammar here.
const PLAIN: [&str; 28] = [
    "",
    "ansi",
    "ascii",
    "asciiart",
    "console",
    "csv",
    "d2",
    "ditaa",
    "mermaid",
    "math",
    "none",
    "nohighlight",
    "output",
    "pikchr",
    "plain",
    "plaintext",
    "plantuml",
    "powershell",
    "ps1",
    "pwsh",
    "raw",
    "shell-session",
    "shellsession",
    "stderr",
    "stdout",
    "terminal",
    "text",
    "text/plain",
];

/// The languages that a slip is compared with: those that most blocks of code are in.
pub const COMMON: [&str; 47] = [
    "assembly",
    "bash",
    "clojure",
    "console",
    "cpp",
    "csharp",
    "css",
    "dart",
    "diff",
    "dockerfile",
    "elixir",
    "erlang",
    "fortran",
    "golang",
    "graphql",
    "groovy",
    "haskell",
    "html",
    "java",
    "javascript",
    "json",
    "julia",
    "kotlin",
    "latex",
    "lua",
    "makefile",
    "markdown",
    "matlab",
    "mermaid",
    "nginx",
    "ocaml",
    "perl",
    "php",
    "plaintext",
    "powershell",
    "python",
    "ruby",
    "rust",
    "scala",
    "shell",
    "sql",
    "swift",
    "terraform",
    "toml",
    "typescript",
    "xml",
    "yaml",
];

/// All grammars; read by the first who asks.
pub(super) fn grammars() -> &'static SyntaxSet {
    &GRAMMARS
}

/// The grammar of a language, by its name, an extension of its files or another name it goes by.
pub(super) fn grammar(language: &str) -> Option<&'static SyntaxReference> {
    let name = language.to_lowercase();
    if PLAIN.contains(&name.as_str()) {
        return None;
    }
    let meant = ALIASES.iter().find(|(alias, _)| *alias == name).map_or(name.as_str(), |(_, meant)| meant);
    GRAMMARS.find_syntax_by_token(meant)
}

/// Whether code of a language has colours.
pub fn has_colours(language: &str) -> bool {
    grammar(language).is_some()
}

/// Whether a name means a language that has a grammar, or one that needs none.
pub fn is_known(language: &str) -> bool {
    PLAIN.contains(&language.to_lowercase().as_str()) || grammar(language).is_some()
}
