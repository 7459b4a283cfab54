//! A second door without credentials, to compare with; only in builds for that comparison.

use std::fs;

use tokio::net::TcpListener;
use windlass_control::Presentation;
use windlass_http::HttpState;

use crate::{data_dir::DataDir, parts::Running};

/// Opens the door on a free port of the loopback interface, and writes where into `open-door` in
/// the data folder. Whoever comes in is the owner.
pub(crate) async fn open_door(
    state: HttpState,
    running: &Running,
    data: &DataDir,
) -> anyhow::Result<()> {
    let key = fs::read_to_string(data.owner_key_file())?;
    let owner = running.control.authenticate(Presentation::bearer(key.trim())).await?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    fs::write(data.owner_key_file().with_file_name("open-door"), format!("http://{address}"))?;
    tracing::warn!(%address, "a door without credentials is open: this build is for measuring only");
    let router = windlass_http::router_for(state, owner);
    tokio::spawn(async move { axum::serve(listener, router).await });
    Ok(())
}
