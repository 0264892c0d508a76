use std::time::{Duration, Instant};

use super::*;

mod hostile;
mod papers;

fn macros() -> Macros {
    Macros::default()
}

#[test]
fn the_formulas_of_papers_are_mathml_and_pictures() {
    let mut wrong = Vec::new();
    for (name, tex) in papers::PAPERS {
        for style in [Style::Inline, Style::Display] {
            match raster(tex, style, &macros()) {
                Ok(picture) if picture.png.len() < 12_000 && picture.depth < picture.height * 100 => {}
                other => wrong.push(format!("{name}: {other:?}")),
            }
        }
        match mathml(tex, Style::Display, &macros()) {
            Ok(mathml) if mathml.contains("scriptlevel") != mathml.contains("<mstyle") => {
                wrong.push(format!("{name}: {mathml}"));
            }
            Ok(mathml) if mathml.starts_with("<math display=\"block\">") && mathml.ends_with("</math>") => {}
            other => wrong.push(format!("{name}: {other:?}")),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn hostile_formulas_end_in_an_error_with_its_place_and_soon() {
    let all = hostile::hostile();
    assert!(all.len() >= 40);
    let wrong: Vec<String> = all.iter().filter_map(|(tex, piece)| complaint(tex, piece)).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What is wrong with how a hostile formula ended.
fn complaint(tex: &str, piece: &str) -> Option<String> {
    let shown: String = tex.chars().take(60).collect();
    let begun = Instant::now();
    let (picture, mathml) = (raster(tex, Style::Display, &macros()), mathml(tex, Style::Display, &macros()));
    if begun.elapsed() > Duration::from_secs(2) {
        return Some(format!("`{shown}` took {:?}", begun.elapsed()));
    }
    if let Ok(mathml) = mathml
        && mathml.len() > 1_000_000
    {
        return Some(format!("`{shown}` became {} bytes of MathML", mathml.len()));
    }
    let error = match picture {
        Ok(picture) => return Some(format!("`{shown}` was drawn, {} x {}", picture.width, picture.height)),
        Err(error) => error,
    };
    let found = tex.get(error.at.clone());
    let is_placed = found.is_some_and(|found| found.starts_with(piece));
    let is_said = !error.message.is_empty() && !error.help.is_empty();
    (!is_placed || !is_said).then(|| format!("`{shown}`: not at `{piece}`: {error:?}"))
}

#[test]
fn a_formula_can_neither_link_nor_style_nor_run_anything() {
    for tex in [
        r"\href{javascript:alert(1)}{x}",
        r"\url{javascript:alert(1)}",
        r"\htmlStyle{color:red;background:url(x)}{x}",
        r"\htmlClass{mine}{x}",
        r"\text{<script>alert(1)</script>}",
        r"<script>alert(1)</script>",
        r"\color{red;background:url(x)}x",
        r"\unicode{<b>}",
    ] {
        let Ok(mathml) = mathml(tex, Style::Inline, &macros()) else { continue };
        for bad in ["<script", "javascript:alert", "url(", "mine", "<b>"] {
            assert!(!mathml.contains(bad), "{tex}: {mathml}");
        }
    }
}

#[test]
fn what_mathml_cannot_say_is_still_drawn() {
    assert!(mathml(r"\boxed{x}", Style::Display, &macros()).is_err());
    assert!(raster(r"\boxed{x}", Style::Display, &macros()).is_ok());
}

#[test]
fn the_same_formula_is_always_the_same_bytes() {
    let draw = || raster(r"\int_0^1 \frac{x}{2}\,\mathrm{d}x", Style::Display, &macros()).unwrap();
    assert_eq!(draw(), draw());
}

#[test]
fn a_picture_stands_on_the_line() {
    let drawn = |tex| raster(tex, Style::Inline, &macros()).unwrap();
    let (flat, deep) = (drawn("x"), drawn(r"\frac{x}{y}"));
    assert!(flat.depth <= 200, "an x ends at the baseline and the margin, not {} below", flat.depth);
    assert!(deep.depth > 500, "{}", deep.depth);
}

#[test]
fn a_formula_in_colour_keeps_it() {
    let picture = raster(r"\color{red}x", Style::Inline, &macros()).unwrap();
    let reader = png::Decoder::new(std::io::Cursor::new(&picture.png)).read_info().unwrap();
    assert_eq!(reader.info().color_type, png::ColorType::Rgb);
    assert_eq!(reader.info().width, picture.width * 2);
}

/// Writes a sheet with every formula of the papers, to be looked at: `FIELDPOST_SHEET=folder`.
#[test]
fn a_contact_sheet_is_written_when_asked_for() {
    let Ok(folder) = std::env::var("FIELDPOST_SHEET") else { return };
    let folder = std::path::Path::new(&folder);
    let mut rows = Vec::new();
    for (number, (name, tex)) in papers::PAPERS.iter().enumerate() {
        let picture = raster(tex, Style::Display, &macros()).unwrap();
        std::fs::write(folder.join(format!("{number}.png")), &picture.png).unwrap();
        let mathml = mathml(tex, Style::Display, &macros()).unwrap_or_else(|error| error.message);
        let size = format!("width=\"{}\" height=\"{}\"", picture.width, picture.height);
        rows.push(format!("<tr><td>{name}<td>{mathml}<td><img src=\"{number}.png\" {size}>\n"));
    }
    let head = "<!doctype html><meta charset=\"utf-8\"><link rel=\"stylesheet\" href=\"math.css\"><table>";
    std::fs::write(folder.join("sheet.html"), format!("{head}{}</table>", rows.concat())).unwrap();
}
