//! MathML Core allows some attributes on every element. Validators, and readers that know the
//! MathML before it, allow them on `mstyle` alone.

/// The attributes that are moved.
const MOVED: [&str; 2] = [" displaystyle=\"", " scriptlevel=\""];

/// The same formula with style and level of fractions and rows said by an `mstyle` around them. A
/// table says its style itself, and takes the level of what it stands in.
pub(super) fn portable(mathml: &str) -> String {
    let mut out = String::with_capacity(mathml.len() + 64);
    let mut wrapped = Vec::new();
    let mut rest = mathml;
    while let Some((text, behind)) = rest.split_once('<') {
        let (tag, next) = behind.split_once('>').unwrap_or((behind, ""));
        rest = next;
        out.push_str(text);
        let moved: String = MOVED.iter().filter_map(|name| attribute(tag, name)).collect();
        let is_closing = tag.starts_with('/');
        if is_closing {
            push_tag(&mut out, tag);
            if wrapped.pop() == Some(true) {
                out.push_str("</mstyle>");
            }
            continue;
        }
        let wraps = !moved.is_empty() && (tag.starts_with("mfrac") || tag.starts_with("mrow"));
        if wraps {
            push_tag(&mut out, &format!("mstyle{moved}"));
            push_tag(&mut out, &tag.replace(&moved, ""));
        } else if tag.starts_with("mtable") {
            push_tag(&mut out, &tag.replace(attribute(tag, MOVED[1]).unwrap_or_default(), ""));
        } else {
            push_tag(&mut out, tag);
        }
        if !tag.ends_with('/') {
            wrapped.push(wraps);
        }
    }
    out.push_str(rest);
    out
}

fn push_tag(out: &mut String, tag: &str) {
    out.push('<');
    out.push_str(tag);
    out.push('>');
}

/// An attribute with its name, and the space before it.
fn attribute<'t>(tag: &'t str, name: &str) -> Option<&'t str> {
    let start = tag.find(name)?;
    let end = start + name.len() + tag[start + name.len()..].find('"')? + 1;
    Some(&tag[start..end])
}

#[cfg(test)]
mod tests {
    use super::portable;

    #[test]
    fn fractions_and_rows_are_wrapped_and_tables_keep_their_style() {
        for (core, expected) in [
            ("<math><mi>x</mi><mspace width=\"1em\"/></math>", "<math><mi>x</mi><mspace width=\"1em\"/></math>"),
            (
                "<mfrac displaystyle=\"true\" scriptlevel=\"0\"><mn>1</mn><mfrac><mi>a</mi><mi>b</mi></mfrac></mfrac>",
                "<mstyle displaystyle=\"true\" scriptlevel=\"0\"><mfrac><mn>1</mn><mfrac><mi>a</mi><mi>b</mi></mfrac></mfrac></mstyle>",
            ),
            (
                "<mrow displaystyle=\"false\" scriptlevel=\"0\" style=\"color:red\"><mi>x</mi></mrow>",
                "<mstyle displaystyle=\"false\" scriptlevel=\"0\"><mrow style=\"color:red\"><mi>x</mi></mrow></mstyle>",
            ),
            (
                "<mtable displaystyle=\"true\" scriptlevel=\"0\" style=\"width: 100%\"><mtr/></mtable>",
                "<mtable displaystyle=\"true\" style=\"width: 100%\"><mtr/></mtable>",
            ),
        ] {
            assert_eq!(portable(core), expected);
        }
    }
}
