//! Formulas that mean harm, or come from a slip of the finger.

/// What must end in an error, with a piece of what was typed where it is found; an empty piece
/// where the whole formula is meant.
pub(super) fn hostile() -> Vec<(String, &'static str)> {
    let repeated = |text: &str, times: usize| text.repeat(times);
    let nested = |open: &str, close: &str, depth: usize| format!("{}x{}", open.repeat(depth), close.repeat(depth));
    let mut all: Vec<(String, &str)> = [
        (r"\undefined", r"\undefined"),
        (r"a + \nonsense{b} + c", r"\nonsense"),
        (r"\frac{a}", ""),
        (r"\frac{a}{b", ""),
        (r"a}", "}"),
        (r"{a", ""),
        (r"\left( a", ""),
        (r"a \right)", r"\right"),
        (r"\left< a \right", ""),
        (r"x^2^3", "^"),
        (r"x_1_2", "_"),
        (r"x^", ""),
        (r"\sqrt", ""),
        (r"\begin{matrix} a & b", ""),
        (r"\begin{matrix} a \end{pmatrix}", ""),
        (r"\begin{nowhere} a \end{nowhere}", ""),
        (r"\end{matrix}", r"\end"),
        (r"a & b", "&"),
        (r"\text{$", ""),
        (r"\rule{100em}{100em}", ""),
        (r"\rule{1em}{99999em}", ""),
        (r"\hspace{99999em}x", ""),
        (r"\kern1e9em x", ""),
        (r"\def\a{\a}\a", r"\a"),
        (r"\def\a{\b}\def\b{\a}\a", r"\a"),
        (r"\def\a{x\a}\a", r"\a"),
        (r"\newcommand{\x}[1][2]{#1}\x", r"\newcommand"),
        (r"\newcommand{x}{y}", r"\newcommand"),
        (r"\edef\a{\a\a}\a", ""),
        (r"\text{漢字}", ""),
        (r"\text{🚀}", ""),
        (r"漢", ""),
        (r"\includegraphics{/etc/passwd}", r"\includegraphics"),
        (r"\input{/etc/passwd}", r"\input"),
        (r"\write18{ls}", r"\write"),
        ("", ""),
        ("   ", ""),
        (r"\", ""),
    ]
    .map(|(tex, piece)| (tex.to_owned(), piece))
    .into();
    let bomb = (b'a'..=b'y').map(|c| format!("\\def\\{}{{\\{}\\{}}}", c as char, (c + 1) as char, (c + 1) as char));
    all.extend([
        (format!("{}\\def\\z{{x}}\\a", bomb.collect::<String>()), r"\a"),
        (nested("{", "}", 3000), ""),
        (nested(r"\sqrt{", "}", 1500), ""),
        (nested(r"\frac{1}{", "}", 900), ""),
        (nested("x^{", "}", 2000), ""),
        (nested(r"\left(", r"\right)", 600), ""),
        (repeated(r"\sqrt", 1900), ""),
        (repeated("x", 10_001), ""),
        (repeated("W", 9_000), ""),
        (repeated(r"x\\", 3_000), ""),
    ]);
    all
}
