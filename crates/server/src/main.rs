//! windlass-server
fn main() {}
