//! Tasks that show the whole of Windlass at work, judged by what people see of them.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod crash;
mod demo;
mod task;
