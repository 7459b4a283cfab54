//! windlass-engine-local
