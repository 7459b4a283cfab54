//! windlass-http
