//! windlass-storage-seaorm
