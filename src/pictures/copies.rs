//! The copies of the author's pictures, made together: unpacking is what costs.

use std::fs;
use std::path::Path;
use std::time::UNIX_EPOCH;

use super::made::{Made, path};
use super::{Picture, Problem};
use crate::files;
use crate::picture::{self, Kind, Motion, PictureError, Rendition};

/// Raised whenever the same picture would give other copies.
const VERSION: u32 = 1;

/// How wide the column of a mail is, in pixels: no picture is shown wider.
pub const MAIL_WIDTH: u32 = 600;

/// A moving picture heavier than this is worth a word, in bytes.
const HEAVY: usize = 1_000_000;

/// What is shown in the place of an author's picture.
#[derive(Debug, Clone, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct Copies {
    /// What mail and feeds show, with the size to show it at: [`MAIL_WIDTH`] at most.
    pub mail: Picture,
    /// Smaller copies for the web, narrowest first, with the size in pixels.
    pub web: Vec<Picture>,
    /// What the author should know.
    pub remarks: Vec<Remark>,
}

impl Copies {
    /// All of them, that for mail first: their places are their numbers.
    pub fn all(&self) -> impl Iterator<Item = &Picture> {
        std::iter::once(&self.mail).chain(&self.web)
    }
}

/// Something to say about a picture that is shown all the same.
#[derive(Debug, Clone, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct Remark {
    /// What is to be known, one sentence without a final dot.
    pub message: String,
    /// What to do.
    pub help: String,
}

/// The name under which the cache keeps what is known of a file's copies: a digest of its path,
/// length and time, so that no picture is read again as long as it stays as it is.
pub(super) fn key(file: &Path) -> String {
    let found = fs::metadata(file).ok();
    let changed = found.as_ref().and_then(|found| found.modified().ok()?.duration_since(UNIX_EPOCH).ok());
    let length = found.map(|found| found.len());
    let all = format!("copies {VERSION} {length:?} {changed:?} {}", file.display());
    format!("{}.json", files::digest(all.as_bytes()))
}

/// Makes the copies of a picture, with the bytes of each in the order of [`Copies::all`].
pub(super) fn make(file: &Path) -> Result<(Copies, Vec<Made>), Problem> {
    let too_long = fs::metadata(file).ok().and_then(|found| usize::try_from(found.len()).ok());
    if let Some(length) = too_long.filter(|length| *length > picture::MOST_BYTES) {
        return Err(PictureError::TooManyBytes(length).into());
    }
    let bytes = fs::read(file).map_err(|error| Problem {
        message: format!("the picture cannot be read: {error}"),
        help: "look at the file's permissions".to_owned(),
        at: 0..0,
    })?;
    let stand_in = (Kind::of(&bytes) == Some(Kind::Avif)).then(|| beside(file)).flatten();
    let picture = picture::Picture::read(stand_in.as_deref().unwrap_or(&bytes))?;
    let mail = made(picture.for_mail(MAIL_WIDTH)?, picture.fitted(MAIL_WIDTH));
    // A browser that knows AVIF is better off with the file itself.
    let web = if stand_in.is_some() { Vec::new() } else { picture.for_web() };
    let web: Vec<Made> =
        web.into_iter().map(|copy| (copy.width, copy.height, copy)).map(|(w, h, copy)| made(copy, (w, h))).collect();
    let mut remarks: Vec<Remark> = wrong_ending(file, &bytes).into_iter().collect();
    remarks.extend(lost_in_mail(&picture, bytes.len()));
    let copies =
        Copies { mail: mail.picture.clone(), web: web.iter().map(|made| made.picture.clone()).collect(), remarks };
    Ok((copies, std::iter::once(mail).chain(web).collect()))
}

fn made(copy: Rendition, (width, height): (u32, u32)) -> Made {
    let site_path = path(&copy.bytes, copy.kind.extension());
    Made { picture: Picture { site_path, width, height, depth: 0 }, bytes: copy.bytes }
}

/// The PNG or JPEG of the same name beside a file.
fn beside(file: &Path) -> Option<Vec<u8>> {
    ["png", "jpg", "jpeg"].iter().find_map(|ending| fs::read(file.with_extension(ending)).ok())
}

/// What to say of a file whose name promises another sort of picture.
fn wrong_ending(file: &Path, bytes: &[u8]) -> Option<Remark> {
    let ending = file.extension()?.to_str()?;
    let (is, promised) = (Kind::of(bytes)?, Kind::promised_by(ending));
    (promised != Some(is)).then(|| Remark {
        message: format!("the file is not what its ending says: it holds {}", is.media_type()),
        help: format!("rename it to end in `.{}`: web servers go by the name", is.extension()),
    })
}

/// What to say of what the copy for mail lacks.
fn lost_in_mail(picture: &picture::Picture, length: usize) -> Option<Remark> {
    let remark = |message: String, help: &str| Some(Remark { message, help: help.to_owned() });
    let missing: String = picture.missing_characters().iter().take(20).collect();
    match (picture.motion(), picture.kind()) {
        (Motion::Moving, Kind::Gif) if length > HEAVY => {
            let message = format!("the moving picture has {} KB, and mail loads all of it", length / 1000);
            remark(message, "make it smaller or shorter: readers wait for no more than a megabyte")
        }
        (Motion::Moving, Kind::WebP | Kind::Png) => {
            let message = "mail shows only the first frame of this moving picture".to_owned();
            remark(message, "save it as GIF, or link to a film")
        }
        (Motion::Moving | Motion::Still, _) if !missing.is_empty() => {
            let message = format!("in mail, these letters of the drawing are empty boxes: {missing}");
            remark(message, "turn its text into paths, or export it as PNG")
        }
        (Motion::Moving | Motion::Still, _) => None,
    }
}

impl From<PictureError> for Problem {
    fn from(error: PictureError) -> Self {
        Self { message: error.to_string(), help: error.help().to_owned(), at: 0..0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::Macros;
    use crate::pictures::{Pictures, Subject};

    const CHART: &str = "<svg xmlns='http://www.w3.org/2000/svg' width='900' height='300'><rect width='400' height='300' fill='#1a55a5'/></svg>";

    #[test]
    fn copies_are_made_once_and_known_again_until_the_file_changes() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("chart.svg");
        fs::write(&file, CHART).unwrap();
        let cached = || Pictures::cached_in(&folder.path().join("cache"), Macros::default());
        let copies = cached().copies(&file).unwrap();
        assert_eq!((copies.mail.width, copies.mail.height, copies.remarks.len()), (600, 200, 0));
        assert_eq!(copies.mail.site_path.rsplit('.').next(), Some("png"));
        let subject = Subject::Copy { file: file.clone(), number: 0 };
        let again = cached();
        assert_eq!((again.copies(&file), again.of(&subject)), (Ok(copies.clone()), Ok(copies.mail.clone())));
        assert!(again.bytes(&subject).unwrap().starts_with(b"\x89PNG"));
        again.sweep();
        fs::write(&file, CHART.replace("1a55a5", "ad2a2a")).unwrap();
        let later = std::time::SystemTime::now() + std::time::Duration::from_mins(1);
        fs::File::options().write(true).open(&file).unwrap().set_modified(later).unwrap();
        assert_ne!(cached().copies(&file).unwrap().mail, copies.mail);
    }

    #[test]
    fn what_is_odd_or_wrong_with_a_picture_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let problem_of = |name: &str, bytes: &[u8]| {
            let file = folder.path().join(name);
            fs::write(&file, bytes).unwrap();
            Pictures::default().copies(&file)
        };
        assert!(problem_of("a.png", CHART.as_bytes()).unwrap().remarks[0].message.contains("image/svg+xml"));
        assert!(problem_of("b.png", b"\x89PNG\r\n\x1a\n").unwrap_err().message.contains("damaged"));
        let avif = b"\0\0\0\x20ftypavif\0\0\0\0";
        assert!(problem_of("c.avif", avif).unwrap_err().help.contains("beside"));
        fs::write(folder.path().join("c.png"), CHART).unwrap();
        assert_eq!(problem_of("c.avif", avif).unwrap().mail.width, 600);
        let text = CHART.replace("</svg>", "<text y='20'>漢字</text></svg>");
        assert!(problem_of("d.svg", text.as_bytes()).unwrap().remarks[0].message.contains("字漢"));
    }
}
