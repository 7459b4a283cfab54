//! A YAML text as a tree in which everything knows its place.
//!
//! Nothing is expanded: an alias is a fault, so that no text becomes a larger tree than it is
//! long. The parser bounds how deep the tree is.

use std::borrow::Cow;

use granit_parser::{Event, Options, Parser, ScalarStyle, Span, StrInput, options};

use crate::{position::Position, scalar::Scalar, syntax};

/// How many collections may stand in each other, of those with braces and those without.
pub(crate) const DEPTH: usize = 16;

/// Something that stands in a text.
#[derive(Debug)]
pub(crate) struct Node<'t> {
    pub(crate) at: Position,
    pub(crate) content: Content<'t>,
}

/// What it is.
#[derive(Debug)]
pub(crate) enum Content<'t> {
    /// Text without quotes.
    Plain(Cow<'t, str>),
    /// Text in quotes, or a block of lines.
    Quoted(Cow<'t, str>),
    /// Lists stand nowhere, so what is in it does not matter.
    List,
    /// Keys and values, in the order of the text.
    Mapping(Vec<(Node<'t>, Node<'t>)>),
    /// What cannot be read; the fault was told already.
    Unread,
}

/// What makes a text another than one YAML document without aliases and tags.
#[derive(Debug)]
pub(crate) struct Fault {
    pub(crate) at: Position,
    pub(crate) message: String,
}

/// A text's tree, as far as it can be read, and all that is wrong with it as YAML.
pub(crate) fn read(text: &str) -> (Option<Node<'_>>, Vec<Fault>) {
    let mut source = Source {
        parser: Some(Parser::new_from_str_with_options(text, parser_options())),
        faults: Vec::new(),
    };
    let root = source.document();
    (root, source.faults)
}

fn parser_options() -> Options {
    options! {
        emit_unresolved_aliases: true,
        flow_nesting_limit: DEPTH,
        block_nesting_limit: DEPTH,
    }
}

struct Source<'t> {
    /// Absent after what it could not understand: what follows would be guesswork.
    parser: Option<Parser<'t, StrInput<'t>>>,
    faults: Vec<Fault>,
}

impl Node<'_> {
    /// The value, where it is a single one.
    pub(crate) fn scalar(&self) -> Option<Scalar<'_>> {
        match &self.content {
            Content::Plain(text) => Some(Scalar::of_plain(text)),
            Content::Quoted(text) => Some(Scalar::Text(text)),
            Content::List | Content::Mapping(_) | Content::Unread => None,
        }
    }
}

impl<'t> Source<'t> {
    fn next(&mut self) -> Option<(Event<'t>, Span)> {
        match self.parser.as_mut()?.next_event()? {
            Ok(event) => Some(event),
            Err(err) => {
                self.parser = None;
                self.fault((*err.marker()).into(), syntax::explain(err.kind()));
                None
            }
        }
    }

    fn fault(&mut self, at: Position, message: impl Into<String>) {
        self.faults.push(Fault { at, message: message.into() });
    }

    fn document(&mut self) -> Option<Node<'t>> {
        let mut root = None;
        while let Some((event, span)) = self.next() {
            if event.is_node() {
                root = Some(self.node(event, span));
            } else if matches!(event, Event::DocumentStart(..)) && root.is_some() {
                self.fault(span.start.into(), "only one document can be read: remove this `---`");
                break;
            }
        }
        // See `mapping`.
        root.filter(|root| self.parser.is_some() || root.scalar().is_none())
    }

    fn node(&mut self, event: Event<'t>, span: Span) -> Node<'t> {
        let at = span.start.into();
        let is_tagged = event.tag().is_some();
        if is_tagged {
            let at = span.tag_start().map_or(at, Position::from);
            self.fault(at, "a tag (`!`) cannot be read: put text in quotes, and the rest without");
        }
        let content = if let Event::Scalar(text, style, ..) = event {
            if is_tagged {
                Content::Unread
            } else if style == ScalarStyle::Plain {
                Content::Plain(text)
            } else {
                Content::Quoted(text)
            }
        } else if let Event::MappingStart(..) = event {
            Content::Mapping(self.mapping())
        } else if let Event::SequenceStart(..) = event {
            self.skip_list();
            Content::List
        } else {
            self.fault(at, "an alias (`*`) cannot be read: repeat what it stands for");
            Content::Unread
        };
        Node { at, content }
    }

    fn mapping(&mut self) -> Vec<(Node<'t>, Node<'t>)> {
        let mut pairs: Vec<(Node<'t>, Node<'t>)> = Vec::new();
        loop {
            let Some((event, span)) = self.next() else {
                // A value can have swallowed the beginning of what was not understood.
                pairs.pop_if(|(_, value)| value.scalar().is_some());
                return pairs;
            };
            if event == Event::MappingEnd {
                return pairs;
            }
            let mut key = self.node(event, span);
            if span.is_empty() && matches!(key.content, Content::Plain(_)) {
                self.fault(key.at, "the name of a field is missing before this `:`");
                key.content = Content::Unread;
            }
            let Some((event, span)) = self.next() else { return pairs };
            pairs.push((key, self.node(event, span)));
        }
    }

    fn skip_list(&mut self) {
        while let Some((event, span)) = self.next()
            && event != Event::SequenceEnd
        {
            self.node(event, span);
        }
    }
}
