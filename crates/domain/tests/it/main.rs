//! The state machines under random events: no sequence leaves a terminal state or skips one.

mod build;
mod deployment;
mod environment;
mod job;
mod machine;
mod project;
