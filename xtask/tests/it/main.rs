//! Tasks that show the whole of Windlass at work, judged by what people see of them.

mod crash;
mod demo;
mod task;
