//! Pictures in the making.

use super::{Picture, Problem, Subject};
use crate::files;
use crate::math::{self, Macros};

/// The folder of the site where made pictures lie.
const FOLDER: &str = "pictures/";

/// A picture with its bytes.
pub(super) struct Made {
    pub picture: Picture,
    pub bytes: Vec<u8>,
}

/// The name of a picture in the cache: that of its file in the site.
pub(super) fn file_name(picture: &Picture) -> &str {
    picture.site_path.trim_start_matches(FOLDER)
}

impl Subject {
    /// The name under which the cache keeps what is known of the picture: a digest of all that
    /// it is made from, and of the version of what makes it.
    pub(super) fn key(&self, macros: &Macros) -> String {
        let all = match self {
            Self::Formula { tex, style } => format!("formula {} {style:?} {macros:?} {tex}", math::VERSION),
        };
        format!("{}.json", files::digest(all.as_bytes()))
    }

    /// Makes the picture. The same subject always gives the same bytes.
    pub(super) fn make(&self, macros: &Macros) -> Result<Made, Problem> {
        match self {
            Self::Formula { tex, style } => {
                let raster = math::raster(tex, *style, macros)?;
                let math::Raster { png, width, height, depth } = raster;
                Ok(Made { picture: Picture { site_path: path(&png, "png"), width, height, depth }, bytes: png })
            }
        }
    }
}

/// The path of a picture with these bytes.
fn path(bytes: &[u8], ending: &str) -> String {
    format!("{FOLDER}{}.{ending}", &files::digest(bytes)[..16])
}

impl From<math::Error> for Problem {
    fn from(error: math::Error) -> Self {
        let math::Error { message, help, at } = error;
        Self { message, help, at }
    }
}
