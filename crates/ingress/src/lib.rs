//! windlass-ingress
