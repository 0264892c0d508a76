//! The tree of a text, as the parser builds it.
//!
//! The nodes lie in one vector and know each other by number, so that a text nested a hundred
//! thousand deep is dropped like any other.

use std::borrow::Cow;
use std::cell::RefCell;
use std::rc::Rc;

use html5ever::interface::{ElementFlags, NodeOrText, QuirksMode, TreeSink};
use html5ever::tendril::StrTendril;
use html5ever::{Attribute, QualName};

/// What one node is.
pub(super) enum Kind {
    /// The top of the tree, or of what a `template` holds.
    Root,
    /// An element. What a `template` holds hangs under a root of its own.
    Element { name: Rc<QualName>, attributes: Vec<Attribute>, content: Option<usize> },
    /// Text.
    Text(StrTendril),
    /// A comment.
    Comment(StrTendril),
}

/// One node and its neighbours.
pub(super) struct Node {
    pub(super) kind: Kind,
    parent: Option<usize>,
    previous: Option<usize>,
    /// The node behind it under the same parent.
    pub(super) next: Option<usize>,
    /// The first of those inside it.
    pub(super) first: Option<usize>,
    last: Option<usize>,
}

/// What the parser calls a node by. It asks for names all the time, so they come along.
#[derive(Clone)]
pub(super) struct Handle {
    at: usize,
    name: Option<Rc<QualName>>,
    /// Whether it is the `annotation-xml` of a formula, with HTML inside (HTML, 13.2.6).
    holds_html: bool,
}

/// The parser's sink. Its first node is the document.
pub(super) struct Tree(RefCell<Vec<Node>>);

impl Default for Tree {
    fn default() -> Self {
        Self(RefCell::new(vec![Node::new(Kind::Root)]))
    }
}

impl Node {
    fn new(kind: Kind) -> Self {
        Self { kind, parent: None, previous: None, next: None, first: None, last: None }
    }
}

impl Tree {
    fn add(&self, kind: Kind) -> usize {
        let mut nodes = self.0.borrow_mut();
        nodes.push(Node::new(kind));
        nodes.len() - 1
    }

    fn unlink(&self, at: usize) {
        let mut nodes = self.0.borrow_mut();
        let (parent, previous, next) = (nodes[at].parent.take(), nodes[at].previous.take(), nodes[at].next.take());
        match (previous, parent) {
            (Some(previous), _) => nodes[previous].next = next,
            (None, Some(parent)) => nodes[parent].first = next,
            (None, None) => {}
        }
        match (next, parent) {
            (Some(next), _) => nodes[next].previous = previous,
            (None, Some(parent)) => nodes[parent].last = previous,
            (None, None) => {}
        }
    }

    /// Links a node under `parent`, before `next` or as the last.
    fn link(&self, at: usize, parent: usize, next: Option<usize>) {
        self.unlink(at);
        let mut nodes = self.0.borrow_mut();
        let previous = next.map_or(nodes[parent].last, |next| nodes[next].previous);
        (nodes[at].parent, nodes[at].previous, nodes[at].next) = (Some(parent), previous, next);
        match previous {
            Some(previous) => nodes[previous].next = Some(at),
            None => nodes[parent].first = Some(at),
        }
        match next {
            Some(next) => nodes[next].previous = Some(at),
            None => nodes[parent].last = Some(at),
        }
    }

    fn insert(&self, parent: usize, next: Option<usize>, child: NodeOrText<Handle>) {
        let child = match child {
            NodeOrText::AppendNode(node) => node.at,
            NodeOrText::AppendText(text) => {
                let mut nodes = self.0.borrow_mut();
                let previous = next.map_or(nodes[parent].last, |next| nodes[next].previous);
                if let Some(Kind::Text(before)) = previous.map(|previous| &mut nodes[previous].kind) {
                    before.push_tendril(&text);
                    return;
                }
                drop(nodes);
                self.add(Kind::Text(text))
            }
        };
        self.link(child, parent, next);
    }

    fn parent(&self, at: usize) -> Option<usize> {
        self.0.borrow()[at].parent
    }
}

impl TreeSink for Tree {
    type Handle = Handle;
    type Output = Vec<Node>;
    type ElemName<'a> = &'a QualName;

    fn finish(self) -> Vec<Node> {
        self.0.into_inner()
    }

    fn parse_error(&self, _: Cow<'static, str>) {}

    fn set_quirks_mode(&self, _: QuirksMode) {}

    fn get_document(&self) -> Handle {
        Handle { at: 0, name: None, holds_html: false }
    }

    fn elem_name<'a>(&'a self, target: &'a Handle) -> &'a QualName {
        target.name.as_ref().expect("the parser asks for the names of elements only")
    }

    fn same_node(&self, one: &Handle, other: &Handle) -> bool {
        one.at == other.at
    }

    fn get_template_contents(&self, target: &Handle) -> Handle {
        let Kind::Element { content: Some(content), .. } = self.0.borrow()[target.at].kind else {
            unreachable!("the parser asks for the content of templates only")
        };
        Handle { at: content, name: None, holds_html: false }
    }

    fn is_mathml_annotation_xml_integration_point(&self, target: &Handle) -> bool {
        target.holds_html
    }

    fn create_element(&self, name: QualName, attributes: Vec<Attribute>, flags: ElementFlags) -> Handle {
        let name = Rc::new(name);
        let content = flags.template.then(|| self.add(Kind::Root));
        let at = self.add(Kind::Element { name: Rc::clone(&name), attributes, content });
        Handle { at, name: Some(name), holds_html: flags.mathml_annotation_xml_integration_point }
    }

    fn create_comment(&self, text: StrTendril) -> Handle {
        Handle { at: self.add(Kind::Comment(text)), name: None, holds_html: false }
    }

    /// HTML has no processing instructions: its parser makes comments of them.
    fn create_pi(&self, _: StrTendril, data: StrTendril) -> Handle {
        self.create_comment(data)
    }

    fn append(&self, parent: &Handle, child: NodeOrText<Handle>) {
        self.insert(parent.at, None, child);
    }

    fn append_before_sibling(&self, sibling: &Handle, child: NodeOrText<Handle>) {
        let parent = self.parent(sibling.at).expect("the parser names a sibling that has a parent");
        self.insert(parent, Some(sibling.at), child);
    }

    fn append_based_on_parent_node(&self, element: &Handle, previous: &Handle, child: NodeOrText<Handle>) {
        match self.parent(element.at) {
            Some(parent) => self.insert(parent, Some(element.at), child),
            None => self.insert(previous.at, None, child),
        }
    }

    /// A fragment has no doctype; one in the middle of a text means nothing.
    fn append_doctype_to_document(&self, _: StrTendril, _: StrTendril, _: StrTendril) {}

    fn add_attrs_if_missing(&self, target: &Handle, more: Vec<Attribute>) {
        if let Kind::Element { attributes, .. } = &mut self.0.borrow_mut()[target.at].kind {
            for attribute in more {
                if attributes.iter().all(|known| known.name != attribute.name) {
                    attributes.push(attribute);
                }
            }
        }
    }

    fn remove_from_parent(&self, target: &Handle) {
        self.unlink(target.at);
    }

    fn reparent_children(&self, node: &Handle, new_parent: &Handle) {
        loop {
            let first = self.0.borrow()[node.at].first;
            let Some(first) = first else { return };
            self.link(first, new_parent.at, None);
        }
    }
}
