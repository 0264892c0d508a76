//! Pictures in the making.

use super::{Form, MAIL_WIDTH, Picture, Problem, Subject, copies};
use crate::files;
use crate::math::{self, Macros};
use crate::picture::{self, CardText, DiagramError, Rendition};

/// Raised whenever the same diagram or card would look otherwise.
const VERSION: u32 = 1;

/// The folder of the site where made pictures lie.
const FOLDER: &str = "pictures/";

/// So many hexadecimal digits of a picture's digest are its name.
const DIGITS: usize = 16;

/// Whether a file of the site is a picture made by us. Mails that were sent go on showing it
/// when no post does any more.
pub fn is_made(site_path: &str) -> bool {
    let name = site_path.strip_prefix(FOLDER).and_then(|name| name.split_once('.'));
    name.is_some_and(|(digest, _)| digest.len() == DIGITS && digest.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// A picture with its bytes.
pub(super) struct Made {
    pub picture: Picture,
    pub bytes: Vec<u8>,
}

impl Made {
    /// The picture as one entry of the cache: what is known of it in a line, then its bytes.
    pub(super) fn to_entry(&self) -> Vec<u8> {
        let mut entry = serde_json::to_vec(&self.picture).expect("a picture's facts are always JSON");
        entry.push(b'\n');
        entry.extend_from_slice(&self.bytes);
        entry
    }

    /// Reads such an entry.
    pub(super) fn from_entry(mut entry: Vec<u8>) -> Option<Self> {
        let end = entry.iter().position(|byte| *byte == b'\n')?;
        let bytes = entry.split_off(end + 1);
        Some(Self { picture: serde_json::from_slice(&entry).ok()?, bytes })
    }
}

/// The name of a copy in the cache: that of its file in the site.
pub(super) fn file_name(picture: &Picture) -> &str {
    picture.site_path.trim_start_matches(FOLDER)
}

impl Subject {
    /// The name under which the cache keeps the picture: a digest of all that
    /// it is made from, and of the version of what makes it.
    pub(super) fn key(&self, macros: &Macros) -> String {
        let all = match self {
            Self::Formula { tex, style } => format!("formula {} {style:?} {macros:?} {tex}", math::VERSION),
            Self::Diagram { source, form } => format!("diagram {VERSION} {form:?} {source}"),
            Self::Copy { file, number } => format!("copy {} {number}", copies::key(file)),
            Self::Card { title, site, byline } => format!("card {VERSION} {:?}", [title, site, byline]),
        };
        format!("{}.made", files::digest(all.as_bytes()))
    }

    /// Makes the picture. The same subject always gives the same bytes.
    pub(super) fn make(&self, macros: &Macros) -> Result<Made, Problem> {
        match self {
            Self::Formula { tex, style } => {
                let raster = math::raster(tex, *style, macros)?;
                let math::Raster { png, width, height, depth } = raster;
                Ok(Made { picture: Picture { site_path: path(&png, "png"), width, height, depth }, bytes: png })
            }
            Self::Diagram { source, form } => diagram(source, *form),
            Self::Card { title, site, byline } => {
                let card = picture::card(&CardText { title, site, byline });
                let Rendition { kind, width, height, bytes } = card.picture;
                Ok(Made {
                    picture: Picture { site_path: path(&bytes, kind.extension()), width, height, depth: 0 },
                    bytes,
                })
            }
            Self::Copy { .. } => unreachable!("copies are made together"),
        }
    }
}

/// A diagram as a drawing, or as pixels unless its letters would be empty boxes.
fn diagram(source: &str, form: Form) -> Result<Made, Problem> {
    let diagram = picture::diagram(source).map_err(|error| located(source, error))?;
    if form == Form::Drawing {
        let bytes = diagram.svg.into_bytes();
        let site_path = path(&bytes, "svg");
        return Ok(Made {
            picture: Picture { site_path, width: diagram.width, height: diagram.height, depth: 0 },
            bytes,
        });
    }
    let drawing = picture::Picture::read(diagram.svg.as_bytes())?;
    let missing: String = drawing.missing_characters().iter().take(20).collect();
    if !missing.is_empty() {
        let message = format!("mail shows the diagram's source: our typeface lacks its letters {missing}");
        return Err(Problem::whole(message, "draw it elsewhere and show it as a picture, if mail matters"));
    }
    let (width, height) = drawing.fitted(MAIL_WIDTH);
    let bytes = drawing.for_mail(MAIL_WIDTH)?.bytes;
    Ok(Made { picture: Picture { site_path: path(&bytes, "png"), width, height, depth: 0 }, bytes })
}

/// A diagram's problem with its place in bytes.
fn located(source: &str, error: DiagramError) -> Problem {
    let DiagramError { line, column, message } = error;
    let start: usize = source.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    let text = source[start..].lines().next().filter(|_| line > 0).unwrap_or_default();
    let skipped = text.char_indices().nth(column.saturating_sub(1)).map_or(0, |(at, _)| at);
    let message = format!("the diagram is shown as its source: {message}");
    Problem {
        message,
        help: "see https://mermaid.js.org for how diagrams are written".to_owned(),
        at: start + skipped..start + text.trim_end().len().max(skipped),
    }
}

/// The path of a picture with these bytes.
pub(super) fn path(bytes: &[u8], ending: &str) -> String {
    format!("{FOLDER}{}.{ending}", &files::digest(bytes)[..DIGITS])
}

impl From<math::Error> for Problem {
    fn from(error: math::Error) -> Self {
        let math::Error { message, help, at } = error;
        Self { message, help, at }
    }
}
