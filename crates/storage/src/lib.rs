//! windlass-storage
