//! A small web server for static sites. It runs confined, like any app.

use std::{
    convert::Infallible,
    io,
    net::Ipv4Addr,
    path::{Path, PathBuf},
};

use http::{Request, Response, StatusCode};
use http_body_util::{Either, Full};
use hyper::body::{Bytes, Incoming};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto::Builder,
};
use tokio::net::TcpListener;
use tower::ServiceExt as _;
use tower_http::services::ServeDir;

/// Serves the first of these folders that has an `index.html`.
pub(crate) async fn serve(base: &Path, folders: &[String], port: u16) -> io::Result<()> {
    let is_site = |folder: &PathBuf| folder.join("index.html").is_file();
    let root = folders.iter().map(|folder| base.join(folder)).find(is_site).ok_or_else(|| {
        io::Error::other(format!("no index.html in any of: {}", folders.join(", ")))
    })?;
    let files = ServeDir::new(root);
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
    loop {
        let (stream, _) = listener.accept().await?;
        let files = files.clone();
        let answer = hyper::service::service_fn(move |request: Request<Incoming>| {
            let files = files.clone();
            async move {
                if is_hidden(request.uri().path()) {
                    let mut response = Response::new(Either::Left(Full::<Bytes>::default()));
                    *response.status_mut() = StatusCode::NOT_FOUND;
                    return Ok::<_, Infallible>(response);
                }
                files.oneshot(request).await.map(|response| response.map(Either::Right))
            }
        });
        tokio::spawn(async move {
            // A client that goes away is nothing to report.
            let _ = Builder::new(TokioExecutor::new())
                .serve_connection(TokioIo::new(stream), answer)
                .await;
        });
    }
}

/// Whether a path leads to files that are not meant for visitors, such as `.git`.
fn is_hidden(path: &str) -> bool {
    path.split('/').any(|part| {
        (part.starts_with('.') || part.to_ascii_lowercase().starts_with("%2e"))
            && part != ".well-known"
    })
}

#[cfg(test)]
mod tests {
    use super::is_hidden;

    #[test]
    fn dot_files_are_hidden() {
        for path in ["/.git/config", "/a/.env", "/%2egit/config", "/%2Egit/HEAD"] {
            assert!(is_hidden(path), "{path}");
        }
        assert!(!is_hidden("/.well-known/security.txt") && !is_hidden("/a.b/index.html"));
    }
}
