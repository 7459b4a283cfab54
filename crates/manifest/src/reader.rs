//! Reads a file's tree into a [`Manifest`].

use std::{
    collections::{BTreeMap, btree_map::Entry},
    str,
};

use windlass_domain::EnvVarKey;

use crate::{
    MAX_BYTES,
    fields::{Section, Variables, Visitor},
    kind::{Kind, variable},
    manifest::Manifest,
    near,
    position::Position,
    problem::{Problem, Problems},
    scalar::{Scalar, excerpt},
    tree::{self, Content, Fault, Node},
};

/// Reads a file, or says everything that is wrong with it.
///
/// The file's name is only shown. An empty file sets nothing.
pub fn parse(file: &str, text: impl AsRef<[u8]>) -> Result<Manifest, Problems> {
    let bytes = text.as_ref();
    if MAX_BYTES < bytes.len() {
        let message = format!("must have at most {MAX_BYTES} bytes");
        return Err(Problems::one(file, Position::START, message));
    }
    let text = str::from_utf8(bytes).map_err(|err| {
        let readable = bytes.get(..err.valid_up_to()).and_then(|bytes| str::from_utf8(bytes).ok());
        let at = Position::after(readable.unwrap_or_default());
        Problems::one(file, at, "this byte is not UTF-8: save the file as UTF-8".to_owned())
    })?;
    if let Some((at, c)) = text.char_indices().find(|(_, c)| is_forbidden(*c)) {
        let at = Position::after(text.get(..at).unwrap_or_default());
        let message = format!("the control character `{}` cannot stand here", c.escape_debug());
        return Err(Problems::one(file, at, message));
    }
    let (root, faults) = tree::read(text);
    let mut reader = Reader { file, path: Vec::new(), problems: Vec::new() };
    for Fault { at, message } in faults {
        reader.complain(at, message);
    }
    let mut manifest = Manifest::default();
    if let Some(root) = &root {
        reader.section(root, &mut manifest);
    }
    Problems::of(reader.problems).map_or(Ok(manifest), Err)
}

/// What YAML has no place for, quotes or not.
fn is_forbidden(c: char) -> bool {
    (c.is_control() && !matches!(c, '\t' | '\n' | '\r' | '\u{85}'))
        || matches!(c, '\u{fffe}' | '\u{ffff}')
}

struct Reader<'f> {
    file: &'f str,
    path: Vec<String>,
    problems: Vec<Problem>,
}

/// A mapping's values by their names; of those with one name, the first.
type Entries<'n> = BTreeMap<&'n str, (Position, &'n Node<'n>)>;

impl Reader<'_> {
    fn complain(&mut self, at: Position, message: impl Into<String>) {
        let field = self.path.join(".");
        self.problems.push(Problem::new(self.file, at, field, message.into()));
    }

    fn inside<R>(&mut self, name: &str, read: impl FnOnce(&mut Self) -> R) -> R {
        self.path.push(excerpt(name));
        let read = read(self);
        self.path.pop();
        read
    }

    /// The entries of a mapping; none where it is empty, or no mapping.
    fn entries<'n>(&mut self, node: &'n Node<'n>, of: &str) -> Entries<'n> {
        let mut entries = BTreeMap::new();
        let Content::Mapping(pairs) = &node.content else {
            match node.scalar() {
                Some(Scalar::Null) => {}
                Some(_) | None => self.complain_of_kind(node, &format!("a mapping of {of}")),
            }
            return entries;
        };
        for (key, value) in pairs {
            let (Content::Plain(name) | Content::Quoted(name)) = &key.content else {
                if !matches!(key.content, Content::Unread) {
                    self.complain(key.at, "a name must be text");
                }
                continue;
            };
            match entries.entry(&**name) {
                Entry::Vacant(place) => {
                    place.insert((key.at, value));
                }
                Entry::Occupied(first) => {
                    let (Position { line, .. }, _) = first.get();
                    let message = format!("is there already, in line {line}");
                    self.inside(name, |reader| reader.complain(key.at, message));
                }
            }
        }
        entries
    }

    fn complain_of_kind(&mut self, node: &Node<'_>, expected: &str) {
        let found = match &node.content {
            Content::Plain(_) | Content::Quoted(_) => {
                node.scalar().map(|scalar| scalar.to_string()).unwrap_or_default()
            }
            Content::List => "a list".to_owned(),
            Content::Mapping(_) => "a mapping".to_owned(),
            Content::Unread => return,
        };
        self.complain(node.at, format!("must be {expected}, and is {found}"));
    }

    fn section(&mut self, node: &Node<'_>, section: &mut impl Section) {
        let entries = self.entries(node, "fields");
        let mut fields = Fields { reader: self, entries, known: Vec::new() };
        section.fields(&mut fields);
        let Fields { entries, known, .. } = fields;
        for (name, (at, _)) in entries {
            self.complain(at, near::unknown(name, &known));
        }
    }

    fn variables(&mut self, node: &Node<'_>) -> Variables {
        let mut variables = Variables::new();
        for (name, (at, value)) in self.entries(node, "names and values") {
            let read = self.inside(name, |reader| reader.variable(name, at, value));
            variables.extend(read);
        }
        variables
    }

    fn variable(
        &mut self,
        name: &str,
        at: Position,
        node: &Node<'_>,
    ) -> Option<(EnvVarKey, String)> {
        let key = variable::key(name).map_err(|message| self.complain(at, message));
        let Some(scalar) = node.scalar() else {
            self.complain_of_kind(node, variable::EXPECTED);
            return None;
        };
        let value = variable::value(scalar)
            .map_err(|message| self.complain(place_of(scalar, node, at), message));
        key.ok().zip(value.ok())
    }

    fn value<V>(&mut self, node: &Node<'_>, at: Position, kind: &impl Kind<V>) -> Option<V> {
        let Some(scalar) = node.scalar() else {
            self.complain_of_kind(node, &kind.expected());
            return None;
        };
        let read = kind.read(scalar);
        read.map_err(|message| self.complain(place_of(scalar, node, at), message)).ok()
    }
}

/// Where a value stands; what is not there is where its name stands.
fn place_of(scalar: Scalar<'_>, node: &Node<'_>, name: Position) -> Position {
    if scalar == Scalar::Null { name } else { node.at }
}

/// Reads the fields of a section as it shows them.
struct Fields<'r, 'f, 'n> {
    reader: &'r mut Reader<'f>,
    /// What was not read yet.
    entries: Entries<'n>,
    known: Vec<&'static str>,
}

impl<'n> Fields<'_, '_, 'n> {
    fn take(&mut self, name: &'static str) -> Option<(Position, &'n Node<'n>)> {
        self.known.push(name);
        self.entries.remove(name)
    }
}

impl Visitor for Fields<'_, '_, '_> {
    fn value<V>(
        &mut self,
        name: &'static str,
        _: &'static str,
        kind: &impl Kind<V>,
        place: &mut Option<V>,
    ) {
        if let Some((at, node)) = self.take(name) {
            *place = self.reader.inside(name, |reader| reader.value(node, at, kind));
        }
    }

    fn section(&mut self, name: &'static str, _: &'static str, place: &mut impl Section) {
        if let Some((_, node)) = self.take(name) {
            self.reader.inside(name, |reader| reader.section(node, place));
        }
    }

    fn variables(&mut self, name: &'static str, _: &'static str, place: &mut Variables) {
        if let Some((_, node)) = self.take(name) {
            *place = self.reader.inside(name, |reader| reader.variables(node));
        }
    }
}
