//! A drawing of a formula, and the small PNG it becomes.

/// A drawn formula.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Raster {
    /// A PNG of twice the width and height.
    pub png: Vec<u8>,
    /// How wide it is shown, in pixels.
    pub width: u32,
    /// How high it is shown, in pixels.
    pub height: u32,
    /// How far its lower edge lies below the baseline, in hundredths of a pixel.
    pub depth: u32,
}

/// The darkest of the greys, as the text of the built-in templates has it.
const INK: [u8; 3] = [0x22, 0x20, 0x1d];

/// Device pixels to the pixel.
const DENSITY: usize = 2;

/// What was drawn, black on white.
pub(super) struct Canvas {
    /// Red, green and blue of each pixel, row by row.
    pixels: Vec<[u8; 3]>,
    width: usize,
    height: usize,
}

impl Canvas {
    /// Reads the engine's own PNG; `None` when it is none.
    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let mut reader = png::Decoder::new(std::io::Cursor::new(bytes)).read_info().ok()?;
        let mut buffer = vec![0; reader.output_buffer_size()?];
        let info = reader.next_frame(&mut buffer).ok()?;
        if (info.color_type, info.bit_depth) != (png::ColorType::Rgba, png::BitDepth::Eight) {
            return None;
        }
        let pixels = buffer[..info.buffer_size()].chunks_exact(4).map(|pixel| [pixel[0], pixel[1], pixel[2]]).collect();
        Some(Self { pixels, width: info.width as usize, height: info.height as usize })
    }

    /// The PNG, whole pixels wide and high, of a drawing whose baseline lies `baseline` pixels
    /// below its upper edge.
    pub(super) fn finish(self, baseline: f64) -> Raster {
        let padded = self.padded();
        let (width, height) = (shown(padded.width), shown(padded.height));
        // Between 0 and the height: the cast cannot lose more than a hundredth.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let depth = ((f64::from(height) - baseline).max(0.0) * 100.0).round() as u32;
        let is_grey = padded.pixels.iter().all(|[red, green, blue]| red == green && green == blue);
        let png = if is_grey { padded.in_greys() } else { padded.in_colour() };
        Raster { png, width, height, depth }
    }

    /// Adds white on the right and below until the shown size is whole.
    fn padded(self) -> Self {
        let (width, height) = (self.width.next_multiple_of(DENSITY), self.height.next_multiple_of(DENSITY));
        let mut pixels = Vec::with_capacity(width * height);
        for row in self.pixels.chunks_exact(self.width) {
            pixels.extend_from_slice(row);
            pixels.resize(pixels.len() + width - self.width, [0xff; 3]);
        }
        pixels.resize(width * height, [0xff; 3]);
        Self { pixels, width, height }
    }

    /// Sixteen greys from ink to white, half a byte each: a tenth of the colours' size.
    fn in_greys(&self) -> Vec<u8> {
        let palette: Vec<u8> = (0..16).flat_map(|level| INK.map(|ink| mixed(ink, level))).collect();
        let rows = self.pixels.chunks_exact(self.width);
        let data: Vec<u8> = rows.flat_map(|row| row.chunks(2).map(pair)).collect();
        encoded(self, png::ColorType::Indexed, png::BitDepth::Four, Some(palette), &data)
    }

    fn in_colour(&self) -> Vec<u8> {
        encoded(self, png::ColorType::Rgb, png::BitDepth::Eight, None, self.pixels.as_flattened())
    }
}

fn shown(device: usize) -> u32 {
    u32::try_from(device / DENSITY).expect("the engine draws no more than 16 million pixels")
}

/// A colour between ink (level 0) and white (level 15).
fn mixed(ink: u8, level: u16) -> u8 {
    let ink = u16::from(ink);
    u8::try_from(ink + (255 - ink) * level / 15).expect("between ink and white")
}

/// Two pixels in a byte, the left one high.
fn pair(pixels: &[[u8; 3]]) -> u8 {
    let level = |pixel: &[u8; 3]| u8::try_from((u16::from(pixel[0]) * 15 + 127) / 255).expect("at most 15");
    level(&pixels[0]) << 4 | pixels.get(1).map_or(15, level)
}

fn encoded(
    canvas: &Canvas,
    colour: png::ColorType,
    depth: png::BitDepth,
    palette: Option<Vec<u8>>,
    data: &[u8],
) -> Vec<u8> {
    let mut out = Vec::new();
    let size = |length: usize| u32::try_from(length).expect("the engine draws no more than 16 million pixels");
    let mut encoder = png::Encoder::new(&mut out, size(canvas.width), size(canvas.height));
    encoder.set_color(colour);
    encoder.set_depth(depth);
    encoder.set_compression(png::Compression::High);
    if let Some(palette) = palette {
        encoder.set_palette(palette);
    }
    let mut writer = encoder.write_header().expect("writing to memory cannot fail");
    writer.write_image_data(data).expect("the rows are whole");
    writer.finish().expect("writing to memory cannot fail");
    out
}
