//! Drawings become pixels: SVG by `resvg`, with our own fonts, without files and addresses.

use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::{Error, Group, ImageKind, Node, Rect, TextChunk, Tree, filter};

use super::decode::within_bounds;
use super::fonts::{self, Missing};
use super::pixels::Pixels;
use super::{Kind, PictureError, bounds, decode};

/// A drawing longer than this is not read, in bytes.
const MOST_BYTES: usize = 4_000_000;

/// What a drawing may cost: the pixels painted, and so much for each thing painted. About a
/// second; a map with ten thousand shapes takes a tenth.
const MOST_WORK: f64 = 200_000_000.0;

/// What each node costs beside its pixels.
const NODE_WORK: f64 = 2_000.0;

/// Noise with more layers than this is cut: each layer is work for every pixel.
const MOST_OCTAVES: u32 = 8;

/// A drawing that was read.
pub(super) struct Drawing {
    tree: Tree,
    /// Characters of its text that would be empty boxes.
    pub missing: Vec<char>,
}

impl Drawing {
    /// Reads an SVG. Scripts, files and addresses in it are passed over.
    pub fn read(bytes: &[u8]) -> Result<Self, PictureError> {
        if bytes.len() > MOST_BYTES {
            return Err(PictureError::TooManyBytes(bytes.len()));
        }
        let text =
            std::str::from_utf8(bytes).map_err(|error| PictureError::Damaged(format!("it is no text: {error}")))?;
        bounds::check(text)?;
        let missing = Missing::default();
        let tree = Tree::from_str(text, &fonts::options(&missing)).map_err(|error| refused(&error))?;
        let missing = if missing.is_any() { fonts::lacking(&words(tree.root())) } else { Vec::new() };
        Ok(Self { tree, missing })
    }

    /// Its own size in pixels, as a browser shows it, each side at least 1.
    pub fn size(&self) -> (u32, u32) {
        let size = self.tree.size();
        (rounded(size.width()), rounded(size.height()))
    }

    /// Paints it on white, so many pixels wide.
    pub fn painted(&self, width: u32) -> Result<Pixels, PictureError> {
        let own = self.tree.size();
        let scale = f64::from(width) / f64::from(own.width());
        let height = rounded_up(f64::from(own.height()) * scale);
        within_bounds(width, height)?;
        self.check_work(width, height)?;
        let mut pixmap = Pixmap::new(width, height)
            .ok_or_else(|| PictureError::Undrawable("it is too large to be painted".to_owned()))?;
        #[expect(clippy::cast_possible_truncation, reason = "pictures need no more than single precision")]
        let scale = scale as f32;
        resvg::render(&self.tree, Transform::from_scale(scale, scale), &mut pixmap.as_mut());
        Ok(Pixels { width, height, rgba: pixmap.take_demultiplied(), profile: None }.on_white())
    }

    fn check_work(&self, width: u32, height: u32) -> Result<(), PictureError> {
        let own = self.tree.size();
        let scale = f64::from(width) / f64::from(own.width());
        let mut budget = Budget { left: MOST_WORK, scale, canvas: f64::from(width) * f64::from(height) };
        if budget.pays_for(self.tree.root()) {
            return Ok(());
        }
        Err(PictureError::Undrawable("it paints so much that it would take minutes".to_owned()))
    }
}

/// Work still allowed.
struct Budget {
    left: f64,
    scale: f64,
    canvas: f64,
}

impl Budget {
    /// Whether a group can be painted with what is left. Ends as soon as it cannot, since masks
    /// within masks are as many as there are ways through them.
    fn pays_for(&mut self, group: &Group) -> bool {
        let layers = if group.should_isolate() { 1.0 + filter_work(group.filters()) } else { 0.0 };
        let layer = group.abs_layer_bounding_box().to_rect();
        self.spend(self.area(layer) * layers * 4.0)
            && group.mask().is_none_or(|mask| self.pays_for(mask.root()))
            && group.clip_path().is_none_or(|clip| self.pays_for(clip.root()))
            && group.children().iter().all(|node| self.pays_for_node(node))
    }

    fn pays_for_node(&mut self, node: &Node) -> bool {
        match node {
            Node::Group(group) => self.pays_for(group),
            Node::Text(text) => self.pays_for(text.flattened()),
            Node::Path(path) => {
                #[expect(clippy::cast_precision_loss, reason = "an estimate")]
                let segments = path.data().len() as f64;
                let own = self.area(path.abs_bounding_box()) + segments * 50.0;
                let mut pays = self.spend(own);
                node.subroots(|root| pays = pays && self.pays_for(root));
                pays
            }
            Node::Image(image) => self.spend(self.area(image.abs_bounding_box())) && self.pays_for_image(image.kind()),
        }
    }

    /// An embedded picture is held to the bounds that a file of its own is.
    fn pays_for_image(&mut self, kind: &ImageKind) -> bool {
        let (bytes, kind) = match kind {
            ImageKind::PNG(bytes) => (bytes, Kind::Png),
            ImageKind::JPEG(bytes) => (bytes, Kind::Jpeg),
            ImageKind::GIF(bytes) => (bytes, Kind::Gif),
            ImageKind::WEBP(bytes) => (bytes, Kind::WebP),
            ImageKind::SVG(tree) => return self.pays_for(tree.root()),
        };
        decode::dimensions(bytes, kind)
            .is_ok_and(|(width, height)| self.spend(f64::from(width) * f64::from(height) * 4.0))
    }

    /// Pixels of the canvas that a box covers at most.
    fn area(&self, covered: Rect) -> f64 {
        let pixels = f64::from(covered.width()) * f64::from(covered.height()) * self.scale * self.scale;
        pixels.min(self.canvas)
    }

    fn spend(&mut self, work: f64) -> bool {
        self.left -= work + NODE_WORK;
        self.left >= 0.0
    }
}

/// All text of a drawing.
fn words(group: &Group) -> String {
    let words = group.children().iter().map(|node| match node {
        Node::Group(group) => words(group),
        Node::Text(text) => text.chunks().iter().map(TextChunk::text).collect(),
        Node::Path(_) | Node::Image(_) => String::new(),
    });
    words.collect()
}

/// How many times its area a group's filters cost.
fn filter_work(filters: &[std::sync::Arc<filter::Filter>]) -> f64 {
    let work = |primitive: &filter::Primitive| match primitive.kind() {
        filter::Kind::Turbulence(noise) if noise.num_octaves() > MOST_OCTAVES => f64::INFINITY,
        filter::Kind::Turbulence(noise) => f64::from(noise.num_octaves()) * 20.0,
        filter::Kind::ConvolveMatrix(convolve) => f64::from(convolve.matrix().columns() * convolve.matrix().rows()),
        filter::Kind::Morphology(morphology) => {
            let side = |radius: f32| f64::from(radius) * 2.0 + 1.0;
            side(morphology.radius_x().get()) * side(morphology.radius_y().get())
        }
        _ => 10.0,
    };
    filters.iter().flat_map(|filter| filter.primitives()).map(work).sum()
}

fn refused(error: &Error) -> PictureError {
    match error {
        Error::NotAnUtf8Str | Error::ParsingFailed(_) | Error::MalformedGZip => {
            PictureError::Damaged(error.to_string())
        }
        Error::SvgzFeatureNotEnabled => PictureError::Undrawable("it is compressed".to_owned()),
        Error::ElementsLimitReached => PictureError::Undrawable("it has more than a million parts".to_owned()),
        Error::InvalidSize => PictureError::Undrawable("it says neither `width` and `height` nor `viewBox`".to_owned()),
    }
}

fn rounded(side: f32) -> u32 {
    rounded_up(f64::from(side.round()))
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to what a side can be")]
fn rounded_up(side: f64) -> u32 {
    side.ceil().clamp(1.0, f64::from(u32::MAX)) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn painted(svg: &str, width: u32) -> Result<Pixels, PictureError> {
        Drawing::read(svg.as_bytes())?.painted(width)
    }

    fn colour_at(pixels: &Pixels, x: u32, y: u32) -> [u8; 3] {
        let at = (y * pixels.width + x) as usize * 4;
        [pixels.rgba[at], pixels.rgba[at + 1], pixels.rgba[at + 2]]
    }

    fn svg(inside: &str) -> String {
        format!(
            "<svg xmlns='http://www.w3.org/2000/svg' xmlns:xlink='http://www.w3.org/1999/xlink' width='100' height='50'>{inside}</svg>"
        )
    }

    #[test]
    fn a_drawing_is_painted_on_white_at_the_width_asked_for() {
        let pixels = painted(&svg("<rect width='50' height='50' fill='#1a55a5'/>"), 400).unwrap();
        assert_eq!((pixels.width, pixels.height), (400, 200));
        assert_eq!(colour_at(&pixels, 100, 100), [0x1a, 0x55, 0xa5]);
        assert_eq!(colour_at(&pixels, 300, 100), [255, 255, 255]);
        assert!(pixels.is_opaque());
    }

    #[test]
    fn a_drawing_reads_no_file() {
        let folder = tempfile::tempdir().unwrap();
        let secret = folder.path().join("secret.svg");
        std::fs::write(&secret, svg("<rect width='100' height='50' fill='red'/>")).unwrap();
        for href in [secret.display().to_string(), format!("file://{}", secret.display())] {
            let pixels = painted(&svg(&format!("<image width='100' height='50' xlink:href='{href}'/>")), 100).unwrap();
            assert_eq!(colour_at(&pixels, 50, 25), [255, 255, 255]);
        }
    }

    #[test]
    fn text_is_written_and_what_cannot_be_is_told() {
        let drawing = Drawing::read(svg("<text y='40' font-family='Arial'>Hxx漢</text>").as_bytes()).unwrap();
        assert_eq!(drawing.missing, ['漢']);
        assert!(drawing.painted(100).unwrap().rgba.chunks_exact(4).any(|pixel| pixel[0] < 100));
    }

    #[test]
    fn a_hostile_drawing_is_refused_or_painted_in_good_time() {
        let uses =
            |level: i32| format!("<g id='l{level}'>{}</g>", format!("<use xlink:href='#l{}'/>", level - 1).repeat(10));
        let nested_masks = |level: i32| {
            let inner = format!("<rect width='9' height='9' mask='url(#m{})'/>", level - 1).repeat(2);
            format!("<mask id='m{level}'>{inner}</mask>")
        };
        let hostile = [
            format!("<defs><rect id='l0' width='1' height='1'/>{}</defs><use xlink:href='#l12'/>", (1..=12).map(uses).collect::<String>()),
            "<g>".repeat(100_000),
            "<g>".repeat(5_000) + &"</g>".repeat(5_000),
            "<rect width='100' height='50' opacity='.5'/>".repeat(50_000),
            "<g opacity='.5'>".repeat(150) + "<rect width='100' height='50'/>" + &"</g>".repeat(150),
            "<filter id='f'><feTurbulence numOctaves='4000000000'/></filter><rect width='100' height='50' filter='url(#f)'/>".to_owned(),
            "<filter id='f'><feMorphology radius='5000'/></filter><rect width='100' height='50' filter='url(#f)'/>".to_owned(),
            "<path stroke='red' stroke-width='1' stroke-dasharray='0.00001' d='M0 0 L1e9 1e9'/>".to_owned(),
            "<path stroke='red' stroke-width='1e30' d='M-1e30 0 C 1e30 1e30 0 0 nan 5'/>".to_owned(),
            (1..=40).map(nested_masks).collect::<String>() + "<rect width='99' height='49' mask='url(#m40)'/>",
            "<pattern id='p' width='.001' height='.001' patternUnits='userSpaceOnUse'><rect width='1' height='1'/></pattern><rect width='100' height='50' fill='url(#p)'/>".to_owned(),
        ];
        for inside in hostile {
            let _ = painted(&svg(&inside), 300);
        }
        let entities = "<!DOCTYPE svg [<!ENTITY a 'aaaaaaaaaa'><!ENTITY b '&a;&a;&a;&a;&a;&a;&a;&a;'><!ENTITY c '&b;&b;&b;&b;&b;&b;&b;&b;'><!ENTITY d '&c;&c;&c;&c;&c;&c;&c;&c;'><!ENTITY e '&d;&d;&d;&d;&d;&d;&d;&d;'>]>";
        let _ = painted(&(entities.to_owned() + &svg("<text>&e;</text>")), 300);
    }

    #[test]
    fn a_size_beyond_all_screens_is_refused() {
        let tall = "<svg xmlns='http://www.w3.org/2000/svg' width='1' height='1000000'/>";
        assert!(matches!(painted(tall, 1200), Err(PictureError::TooManyPixels { .. })));
        assert!(matches!(painted(&svg("<g>"), 100), Err(PictureError::Damaged(_))));
        assert!(painted("<svg xmlns='http://www.w3.org/2000/svg' width='0' height='1'/>", 100).is_err());
    }
}
