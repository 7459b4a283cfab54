//! Extractors whose rejections are ours.

mod body;
mod object;
mod patch;
mod path;
mod query;
mod whole;

pub(crate) use self::{
    body::{Body, read as read_body, read_at_most},
    object::Object,
    patch::Patch,
    path::Path,
    query::Query,
    whole::Whole,
};
