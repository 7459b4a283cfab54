//! windlass-auth
