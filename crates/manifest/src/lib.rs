//! The file with which a repository says how it is built and run: `windlass.yaml`.
//!
//! Pure: it takes text and gives a [`Manifest`], or everything that is wrong with the text at
//! once, each with its place. Which fields there are, and what each takes, is written down once;
//! the reader and [`json_schema`] both go by that.
//!
//! ```
//! let manifest = windlass_manifest::parse("windlass.yaml", "app: { port: 8080 }")?;
//! assert_eq!(manifest.app.port, Some(8080));
//!
//! let problems = windlass_manifest::parse("windlass.yaml", "app:\n  port: http\n").unwrap_err();
//! assert_eq!(
//!     problems.to_string(),
//!     r#"windlass.yaml:2:9: app.port: must be a whole number from 1 to 65535, and is "http""#,
//! );
//! # Ok::<(), windlass_manifest::Problems>(())
//! ```

mod fields;
mod kind;
mod manifest;
mod near;
mod position;
mod problem;
mod reader;
mod scalar;
mod schema;
mod syntax;
mod tree;

pub use crate::{
    manifest::{Manifest, ManifestApp, ManifestBuild, ManifestServices},
    problem::{Problem, Problems},
    reader::parse,
    schema::json_schema,
};

/// What the file may be called, in a repository's root. Where there are both, the first counts.
pub const FILE_NAMES: [&str; 2] = ["windlass.yaml", "nexos.yaml"];

/// How long the file may be.
pub const MAX_BYTES: usize = 64 * 1024;
