//! Which field somebody may have meant.

use std::mem;

use crate::{
    fields::{Section, Variables, Visitor},
    kind::Kind,
    manifest::Manifest,
    scalar::excerpt,
};

/// How far from a name somebody may have mistyped it.
const TYPOS: usize = 2;
/// No field's name is nearly as long.
const LONGEST: usize = 40;

/// Says that there is no such field, and which one may have been meant.
pub(crate) fn unknown(name: &str, known: &[&'static str]) -> String {
    let shown = excerpt(name);
    if name.len() <= LONGEST {
        if let Some(near) = nearest(name, known) {
            return format!("there is no `{shown}` here; did you mean `{near}`?");
        }
        let elsewhere = paths_to(name);
        if !elsewhere.is_empty() {
            let paths = elsewhere.join("` or `");
            return format!("there is no `{shown}` here; did you mean `{paths}`?");
        }
    }
    format!("there is no `{shown}` here; there are `{}`", known.join("`, `"))
}

fn nearest(name: &str, known: &[&'static str]) -> Option<&'static str> {
    let plain_name = plain(name);
    let typos = |known: &str| strsim::osa_distance(&plain_name, &plain(known));
    let nearest = known.iter().copied().min_by_key(|known| typos(known))?;
    // Of a short name, two other letters make another word.
    let allowed = TYPOS.min(nearest.len() / 3);
    (typos(nearest) <= allowed).then_some(nearest)
}

/// Without what people vary: `build_resources` and `buildresources` are `buildResources`.
fn plain(name: &str) -> String {
    name.chars().filter(|c| !matches!(c, '_' | '-')).flat_map(char::to_lowercase).collect()
}

/// The fields of that name in all sections.
fn paths_to(name: &str) -> Vec<String> {
    let mut paths = Paths { wanted: plain(name), section: String::new(), found: Vec::new() };
    Manifest::default().fields(&mut paths);
    paths.found
}

struct Paths {
    wanted: String,
    section: String,
    found: Vec<String>,
}

impl Paths {
    fn see(&mut self, name: &'static str) {
        if plain(name) == self.wanted {
            self.found.push(format!("{}{name}", self.section));
        }
    }
}

impl Visitor for Paths {
    fn value<V>(
        &mut self,
        name: &'static str,
        _: &'static str,
        _: &impl Kind<V>,
        _: &mut Option<V>,
    ) {
        self.see(name);
    }

    fn section(&mut self, name: &'static str, _: &'static str, place: &mut impl Section) {
        self.see(name);
        let inner = format!("{}{name}.", self.section);
        let outer = mem::replace(&mut self.section, inner);
        place.fields(self);
        self.section = outer;
    }

    fn variables(&mut self, name: &'static str, _: &'static str, _: &mut Variables) {
        self.see(name);
    }
}
