//! windlass-migrations
