//! What every provider must keep.

windlass_services::services_contract!(crate::site::Site::new().await);
