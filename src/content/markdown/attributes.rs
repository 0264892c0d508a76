//! What stands in braces behind an image: `{width=300}`, `{: width="50%"}`.

use crate::domain::document::{Inline, Width};

/// Gives the images their attributes, and takes the braces out of the text.
pub(super) fn apply(inlines: &mut Vec<Inline>) {
    for at in 1..inlines.len() {
        let (before, after) = inlines.split_at_mut(at);
        let (Some(Inline::Image(image)), Some(Inline::Text(text))) = (before.last_mut(), after.first_mut()) else {
            continue;
        };
        let Some((attributes, rest)) = text.strip_prefix('{').and_then(|text| text.split_once('}')) else { continue };
        if let Some(width) = width(attributes) {
            image.width = Some(width);
        } else if !attributes.trim_start_matches(':').trim_start().starts_with(['.', '#']) {
            continue;
        }
        *text = rest.to_owned();
    }
    inlines.retain(|inline| !matches!(inline, Inline::Text(text) if text.is_empty()));
}

/// The width among attributes.
fn width(attributes: &str) -> Option<Width> {
    let written = attributes.split([' ', ':']).find_map(|attribute| attribute.strip_prefix("width="))?;
    Width::parse(written.trim_matches(['"', '\'', '“', '”']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_width_is_in_pixels_or_a_part_of_the_column() {
        for (attributes, expected) in [
            ("width=300", Some(Width::Pixels(300))),
            ("width=\"300px\"", Some(Width::Pixels(300))),
            (": width='50%' .wide", Some(Width::Percent(50))),
            (".wide width=50%", Some(Width::Percent(50))),
            ("width=0", None),
            ("width=101%", None),
            ("width=-3", None),
            ("height=3", None),
        ] {
            assert_eq!(width(attributes), expected, "{attributes}");
        }
    }
}
