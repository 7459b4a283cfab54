//! The `git` program, called safely.
