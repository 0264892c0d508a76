use super::*;

fn macros() -> Macros {
    Macros::default()
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
