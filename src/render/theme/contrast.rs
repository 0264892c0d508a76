//! Whether everything that the built-in stylesheets colour can be read: WCAG 2.2, criterion
//! 1.4.3, level AA, in every scheme. The colours are read from the stylesheets themselves.

use std::collections::BTreeMap;

const AA: f64 = 4.5;

/// Selectors whose text stands on their own background alone.
const APART: [&str; 1] = [".subscribe button"];

/// One rule of a stylesheet.
struct Rule {
    scheme: Scheme,
    selectors: Vec<String>,
    declarations: Vec<(String, String)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scheme {
    Light,
    Dark,
    /// Outlook's own dark mode, which rewrites colours and marks what it rewrote.
    Outlook,
}

fn rules(css: &str) -> Vec<Rule> {
    let mut rules = Vec::new();
    collect(css, Scheme::Light, &mut rules);
    rules
}

fn collect(css: &str, scheme: Scheme, rules: &mut Vec<Rule>) {
    let mut rest = css;
    while let Some((head, after)) = rest.split_once('{') {
        let end = closing(after);
        let (head, inner) = (head.trim(), &after[..end]);
        if head.contains("prefers-color-scheme: dark") {
            collect(inner, Scheme::Dark, rules);
        } else if head.starts_with("@media") && !head.contains("print") {
            collect(inner, scheme, rules);
        } else if !head.starts_with('@') {
            let scheme = if head.contains("[data-ogs") { Scheme::Outlook } else { scheme };
            let selectors = head.split(',').map(|selector| selector.trim().to_owned()).collect();
            let pair = |text: &str| text.split_once(':').map(|(key, value)| (key.trim().into(), value.trim().into()));
            rules.push(Rule { scheme, selectors, declarations: inner.split(';').filter_map(pair).collect() });
        }
        rest = &after[end + 1..];
    }
}

fn closing(text: &str) -> usize {
    let mut depth = 1;
    let end = text.bytes().position(|byte| {
        depth += i32::from(byte == b'{') - i32::from(byte == b'}');
        depth == 0
    });
    end.expect("every brace of a stylesheet is closed")
}

/// The colours that text and grounds have in a scheme, each with the selectors that set it.
struct Colours {
    text: Vec<(String, [f64; 3])>,
    grounds: Vec<(String, [f64; 3])>,
}

fn colours(rules: &[Rule], scheme: Scheme) -> Colours {
    let variables = variables(rules, scheme);
    let mut colours = Colours { text: Vec::new(), grounds: Vec::new() };
    for rule in rules.iter().filter(|rule| applies(rule, rules, scheme)) {
        let name = rule.selectors.join(", ");
        for (key, value) in rule.declarations.iter().filter(|_| !APART.contains(&name.as_str())) {
            for value in alternatives(value, rules, &variables) {
                match key.as_str() {
                    "color" => colours.text.push((name.clone(), value)),
                    "background" | "background-color" => colours.grounds.push((name.clone(), value)),
                    _ => {}
                }
            }
        }
    }
    colours
}

/// A rule of the light counts in the dark too when it speaks in variables; one with a colour
/// of its own is answered by another in the dark.
fn applies(rule: &Rule, rules: &[Rule], scheme: Scheme) -> bool {
    let speaks_in_variables = rules.iter().any(|rule| rule.selectors == [":root"]);
    rule.scheme == scheme || (speaks_in_variables && rule.scheme == Scheme::Light)
}

fn variables(rules: &[Rule], scheme: Scheme) -> BTreeMap<&str, &str> {
    let of = |wanted: Scheme| rules.iter().filter(move |rule| rule.scheme == wanted && rule.selectors == [":root"]);
    let both = of(Scheme::Light).chain(of(Scheme::Dark).filter(move |_| scheme == Scheme::Dark));
    both.flat_map(|rule| &rule.declarations).map(|(key, value)| (key.as_str(), value.as_str())).collect()
}

/// The colours a value can mean: one, or as many as its variable has, or none (`inherit`).
fn alternatives(value: &str, rules: &[Rule], variables: &BTreeMap<&str, &str>) -> Vec<[f64; 3]> {
    let value = value.trim_end_matches("!important").trim();
    if let Some(hue) = value.strip_prefix("color-mix(in srgb, var(--hue) ").and_then(|rest| rest.split('%').next()) {
        let share = hue.parse::<f64>().expect("a mixture has a share") / 100.0;
        let paper = hex(variables["--paper"]).expect("the paper has a colour");
        let mixed = |hue: [f64; 3]| std::array::from_fn(|i| hue[i] * share + paper[i] * (1.0 - share));
        return alternatives("var(--hue)", rules, variables).into_iter().map(mixed).collect();
    }
    match value.strip_prefix("var(").and_then(|rest| rest.strip_suffix(')')) {
        Some("--hue") => {
            let hues = rules.iter().flat_map(|rule| &rule.declarations).filter(|(key, _)| key == "--hue");
            hues.flat_map(|(_, value)| alternatives(value, rules, variables)).collect()
        }
        Some(name) => hex(variables[name]).into_iter().collect(),
        None => hex(value).into_iter().collect(),
    }
}

fn hex(value: &str) -> Option<[f64; 3]> {
    let digits = value.strip_prefix('#').filter(|digits| digits.len() == 6)?;
    let part = |at: usize| u8::from_str_radix(&digits[at..at + 2], 16).ok().map(|part| f64::from(part) / 255.0);
    Some([part(0)?, part(2)?, part(4)?])
}

/// Relative luminance, by the definition of WCAG 2.2.
fn luminance(colour: [f64; 3]) -> f64 {
    let linear = |part: f64| if part <= 0.04045 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) };
    0.2126 * linear(colour[0]) + 0.7152 * linear(colour[1]) + 0.0722 * linear(colour[2])
}

fn contrast(one: [f64; 3], other: [f64; 3]) -> f64 {
    let (one, other) = (luminance(one), luminance(other));
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

/// Every text on every ground of a scheme, although many never meet: what holds for all of
/// them holds wherever an author's Markdown brings two together.
fn unreadable(css: &str, scheme: Scheme) -> Vec<String> {
    let rules = rules(css);
    let Colours { text, grounds } = colours(&rules, scheme);
    assert!(text.len() > 4 && grounds.len() > 2, "the colours of {scheme:?} were not found");
    let mut complaints = Vec::new();
    for (words, colour) in &text {
        for (box_, ground) in &grounds {
            let found = contrast(*colour, *ground);
            if found < AA {
                complaints.push(format!("{scheme:?}: `{words}` on `{box_}`: {found:.2}"));
            }
        }
    }
    complaints
}

#[test]
fn all_text_of_pages_and_mails_can_be_read_on_every_ground_in_every_scheme() {
    let web = include_str!("../../../templates/style.css");
    let mail = include_str!("../../../templates/mail/issue.css");
    let complaints = [
        unreadable(web, Scheme::Light),
        unreadable(web, Scheme::Dark),
        unreadable(mail, Scheme::Light),
        unreadable(mail, Scheme::Dark),
        unreadable(mail, Scheme::Outlook),
    ]
    .concat();
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}

#[test]
fn every_token_has_a_colour_or_a_weight_in_every_stylesheet() {
    let web = rules(include_str!("../../../templates/style.css"));
    let mail = rules(include_str!("../../../templates/mail/issue.css"));
    for token in crate::highlight::Token::ALL {
        let selector = format!(".{}", token.class());
        for (name, rules, schemes) in
            [("style.css", &web, &[Scheme::Light][..]), ("mail/issue.css", &mail, &[Scheme::Light, Scheme::Dark])]
        {
            for scheme in schemes {
                let found = rules.iter().any(|rule| {
                    rule.scheme == *scheme && rule.selectors.iter().any(|one| one.ends_with(selector.as_str()))
                });
                assert!(found || token.class() == "hh", "{name} says nothing of `{selector}` in {scheme:?}");
            }
        }
    }
}

#[test]
fn the_contrast_of_black_on_white_is_21_and_grey_on_white_is_seen_to_be_too_faint() {
    assert!((contrast(hex("#000000").unwrap(), hex("#ffffff").unwrap()) - 21.0).abs() < 0.01);
    let css = "a { color: #888888; } b { color: #000000; } c { color: #111111; } d { color: #222222; } \
               e { color: #333333; } f { background: #ffffff; } g { background: #fefefe; } h { background: #fdfdfd; }";
    assert_eq!(unreadable(css, Scheme::Light).len(), 3);
}
