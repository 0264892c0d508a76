//! Mermaid diagrams, drawn without a browser.

/// A diagram as a drawing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagram {
    /// The drawing: an SVG on white that opens no file and no address and holds no link.
    pub svg: String,
    /// Its width in CSS pixels.
    pub width: u32,
    /// Its height in CSS pixels.
    pub height: u32,
}

/// Why a diagram could not be drawn.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct DiagramError {
    /// The line of the diagram's source, from 1; 0 when the whole is meant.
    pub line: usize,
    /// The column in characters, from 1; 0 when the whole line is meant.
    pub column: usize,
    /// What is wrong, one sentence without a final dot.
    pub message: String,
}

impl DiagramError {
    fn whole(message: impl Into<String>) -> Self {
        Self { line: 0, column: 0, message: message.into() }
    }
}

/// Draws a Mermaid diagram. The same source gives the same bytes on every machine.
///
/// Only diagrams of at most 300 lines and 16 KiB are drawn: how long the boxes
/// and arrows take to be placed grows with the square of their number.
#[cfg(feature = "mermaid")]
pub fn diagram(source: &str) -> Result<Diagram, DiagramError> {
    drawn::diagram(source)
}

/// Says that this build draws no diagrams.
#[cfg(not(feature = "mermaid"))]
pub fn diagram(_: &str) -> Result<Diagram, DiagramError> {
    Err(DiagramError::whole("this build of fieldpost draws no Mermaid diagrams (feature `mermaid`)"))
}

/// What a diagram is, for who cannot see it: its `accTitle`, or else its title, or else its sort.
pub fn described(source: &str) -> String {
    let value = |key: &str| {
        let lines = source.lines().filter_map(|line| line.trim().strip_prefix(key));
        lines.map(|rest| rest.trim_start_matches([':', ' ']).trim()).find(|rest| !rest.is_empty())
    };
    let sort = source.lines().map(str::trim).find(|line| !line.is_empty() && !line.starts_with("%%"));
    let sort = match sort.unwrap_or_default().split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default() {
        "sequenceDiagram" => "Sequence diagram",
        "classDiagram" => "Class diagram",
        "stateDiagram" => "State diagram",
        "erDiagram" => "Entities and their relations",
        "pie" | "xychart" | "quadrantChart" | "radar" | "sankey" => "Chart",
        "gantt" | "timeline" | "journey" => "Timeline",
        "mindmap" => "Mind map",
        "gitGraph" => "Branches and commits",
        "flowchart" | "graph" => "Flowchart",
        _ => "Diagram",
    };
    value("accTitle").or_else(|| value("title ")).or_else(|| value("pie title ")).unwrap_or(sort).to_owned()
}

/// A diagram's source may have so many bytes.
pub const MOST_BYTES: usize = 16 * 1024;

/// A diagram's source may have so many lines.
pub const MOST_LINES: usize = 300;

#[cfg(feature = "mermaid")]
mod drawn {
    use std::io::Cursor;
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use mermaid_rs_renderer::{
        LayoutConfig, ParseError, Theme, compute_layout, parse_mermaid, parse_mermaid_strict, render_svg,
    };

    use super::{Diagram, DiagramError, MOST_BYTES, MOST_LINES};
    use crate::picture::header;

    /// A family that no machine has. The renderer looks for its fonts among those of the
    /// system, and measures text by a table of its own when it finds none: the same everywhere.
    const NO_FAMILY: &str = "fieldpost-diagram";

    /// What browsers are told instead. The first is what the pixels of mail are written in.
    const FAMILIES: &str = "Inter, system-ui, sans-serif";

    /// How long arrows take to find their way grows faster than the square of their number.
    const MOST_NODES: usize = 80;

    /// See [`MOST_NODES`].
    const MOST_EDGES: usize = 60;

    /// Things within things, deeper than anybody can follow.
    const DEEPEST: usize = 24;

    pub(super) fn diagram(source: &str) -> Result<Diagram, DiagramError> {
        check_bounds(source)?;
        // The renderer is young and has a few `panic!`s of its own: one diagram must not end a
        // build. It keeps no state that a panic could leave half changed.
        let drawn = catch_unwind(AssertUnwindSafe(|| rendered(source)));
        let svg = drawn.unwrap_or_else(|_| Err(DiagramError::whole("the diagram cannot be drawn")))?;
        let svg = without_links(&svg.replace(NO_FAMILY, FAMILIES));
        let size = header::size(&mut Cursor::new(svg.as_bytes()));
        let (width, height) = size.ok_or_else(|| DiagramError::whole("the diagram is empty"))?;
        Ok(Diagram { svg, width, height })
    }

    fn check_bounds(source: &str) -> Result<(), DiagramError> {
        if source.len() > MOST_BYTES || source.lines().count() > MOST_LINES {
            let message = format!("the diagram is longer than {MOST_LINES} lines or {MOST_BYTES} bytes");
            return Err(DiagramError::whole(message));
        }
        let opened = |line: &&str| line.trim_start().starts_with("subgraph");
        let brackets = source.lines().map(|line| line.matches(['(', '[', '{']).count()).max().unwrap_or(0);
        if source.lines().filter(opened).count() > DEEPEST * 2 || brackets > DEEPEST * 8 {
            return Err(DiagramError::whole("the diagram nests its parts too deep"));
        }
        Ok(())
    }

    fn rendered(source: &str) -> Result<String, DiagramError> {
        let parsed = match parse_mermaid_strict(source) {
            // Mermaid itself lets one take part who was not announced.
            Err(error @ ParseError::UnknownParticipant { .. }) => parse_mermaid(source).map_err(|_| located(&error)),
            parsed => parsed.map_err(|error| located(&error)),
        };
        let graph = parsed?.graph;
        if graph.nodes.len() > MOST_NODES || graph.edges.len() > MOST_EDGES {
            let message = format!("the diagram has more than {MOST_NODES} boxes or {MOST_EDGES} arrows");
            return Err(DiagramError::whole(message));
        }
        let theme = theme();
        let layout = LayoutConfig { fast_text_metrics: true, ..LayoutConfig::default() };
        Ok(render_svg(&compute_layout(&graph, &theme, &layout), &theme, &layout))
    }

    /// The renderer's own, with the colours of our pages where it has many.
    fn theme() -> Theme {
        let strong = ["#1a55a5", "#1f7040", "#8a5700", "#6b46a8", "#ad2a2a", "#0f6f7a", "#7a4a1e", "#4a4f57"];
        let soft = [
            "#a9c5e8", "#b5dbc2", "#f0d199", "#cdbdea", "#e8b4b1", "#b3dfe3", "#dcc7ae", "#c9ced6", "#d3e2f4",
            "#dcefe2", "#f8e8c9", "#e6def5",
        ];
        Theme {
            font_family: NO_FAMILY.to_owned(),
            git_colors: strong.map(str::to_owned),
            git_inv_colors: strong.map(str::to_owned),
            git_branch_label_colors: strong.map(|_| "#ffffff".to_owned()),
            pie_colors: soft.map(str::to_owned),
            pie_opacity: 1.0,
            ..Theme::modern()
        }
    }

    fn located(error: &ParseError) -> DiagramError {
        let (line, column, message) = match error {
            ParseError::UnknownParticipant { name, line, .. } => (*line, 0, format!("`{name}` was never declared")),
            ParseError::UnclosedSubgraph { opened_at } => {
                (*opened_at, 0, "what is opened here has no `end`".to_owned())
            }
            ParseError::UnexpectedToken { line, col, found, expected } => {
                (*line, *col, format!("`{found}` is not understood here; {expected} is expected"))
            }
            ParseError::InvalidDirective { line, col, directive, reason } => {
                (*line, *col, format!("the directive `{directive}` is not understood: {reason}"))
            }
            other => (0, 0, other.to_string()),
        };
        DiagramError { line: line as usize, column: column as usize, message }
    }

    /// The drawing without its links: shown as a picture it has none, and opened by itself it
    /// must not run what an address says.
    fn without_links(svg: &str) -> String {
        let mut out = String::with_capacity(svg.len());
        let mut rest = svg;
        while let Some(at) = rest.find("<a ") {
            out.push_str(&rest[..at]);
            rest = rest[at..].split_once('>').map_or("", |(_, rest)| rest);
        }
        out.push_str(rest);
        out.replace("</a>", "")
    }
}

#[cfg(test)]
#[cfg(feature = "mermaid")]
#[expect(clippy::format_collect, reason = "a test may be slow")]
mod tests {
    use super::*;
    use crate::picture::Picture;

    const FLOW: &str = "flowchart LR\n  A[Post] --> B{Public?}\n  B -->|yes| C[Feed]\n  B -->|no| D[Draft]\n";

    #[test]
    fn a_diagram_is_drawn_and_becomes_pixels() {
        let diagram = diagram(FLOW).unwrap();
        assert!(diagram.width > 100 && diagram.height > 40, "{} {}", diagram.width, diagram.height);
        assert!(diagram.svg.contains("Public?") && !diagram.svg.contains("fieldpost-diagram"));
        let picture = Picture::read(diagram.svg.as_bytes()).unwrap();
        assert_eq!(picture.size(), (diagram.width, diagram.height));
        assert_eq!(picture.for_mail(600).unwrap().width, diagram.width.min(600) * 2);
    }

    #[test]
    fn the_same_source_gives_the_same_drawing() {
        assert_eq!(diagram(FLOW), diagram(FLOW));
    }

    #[test]
    fn what_is_wrong_has_a_place() {
        let error = diagram("flowchart LR\n  A --> B\n  subgraph one\n  C\n").unwrap_err();
        assert_eq!(error.line, 3, "{error:?}");
        assert!(diagram("").is_err());
        assert!(diagram("no diagram at all").is_err());
    }

    #[test]
    fn a_drawing_holds_no_link() {
        let diagram = diagram("flowchart LR\n  A[x] --> B[y]\n  click A \"javascript:alert(1)\"\n").unwrap();
        assert!(!diagram.svg.contains("javascript") && !diagram.svg.contains("<a ") && !diagram.svg.contains("</a>"));
    }

    #[test]
    fn a_hostile_diagram_is_refused_or_drawn_and_ends_nothing() {
        let sources = [
            "flowchart LR\n".to_owned() + &"A --> B\n".repeat(100_000),
            "flowchart LR\n".to_owned() + &"subgraph a\n".repeat(290),
            "flowchart LR\nA".to_owned() + &"[".repeat(15_000),
            "sequenceDiagram\n".to_owned() + &"loop x\n".repeat(290),
            "mindmap\n".to_owned() + &(0..290).map(|at| " ".repeat(at % 60) + "x\n").collect::<String>(),
            "pie\n\"a\" : 1e308\n\"b\" : 1e308\n".to_owned(),
            "gantt\ndateFormat YYYY-MM-DD\nsection x\na :9999999-99-99, 99999999999d\n".to_owned(),
            "flowchart LR\n".to_owned()
                + &(0..280).map(|at| format!("n{at} --> n{}\n", at * 7 % 40)).collect::<String>(),
            "classDiagram\n<|--\n".to_owned(),
            "stateDiagram-v2\n[*] --> [*]\nstate x {\n".to_owned(),
            "erDiagram\n||--o{ :\n".to_owned(),
            "gitGraph\ncommit\nmerge nowhere\n".to_owned(),
            "%%{init: {\"theme\": \n}}%%\nflowchart\n".to_owned(),
        ];
        for source in sources {
            match diagram(&source) {
                Ok(diagram) => assert!(diagram.width > 0),
                Err(error) => assert!(!error.message.is_empty()),
            }
        }
    }
}
