//! The supervisor as a program of its own.

use std::process::ExitCode;

fn main() -> ExitCode {
    windlass_engine_swarm::supervisor_main(std::env::args_os().skip(1))
}
