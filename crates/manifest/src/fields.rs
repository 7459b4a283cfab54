//! How the fields of a file are written down once, for whoever reads or describes them.

use std::collections::BTreeMap;

use windlass_domain::EnvVarKey;

use crate::kind::Kind;

/// Names and values for a build or an app.
pub(crate) type Variables = BTreeMap<EnvVarKey, String>;

/// A mapping whose fields are known.
pub(crate) trait Section {
    /// Shows a visitor every field, and where its value belongs.
    fn fields(&mut self, visitor: &mut impl Visitor);
}

/// Somebody who wants to see all fields of a section.
pub(crate) trait Visitor {
    /// A single value.
    fn value<V>(
        &mut self,
        name: &'static str,
        about: &'static str,
        kind: &impl Kind<V>,
        place: &mut Option<V>,
    );

    /// A section in the section.
    fn section(&mut self, name: &'static str, about: &'static str, place: &mut impl Section);

    /// Names that the file's author chooses, with values.
    fn variables(&mut self, name: &'static str, about: &'static str, place: &mut Variables);
}
