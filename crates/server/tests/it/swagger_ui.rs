//! Swagger UI in a real browser: opened, authorized, used.

use std::{process::Stdio, time::Duration};

use fantoccini::{Client, ClientBuilder, Locator};
use serde_json::json;
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::{Child, Command},
};

use crate::support::TestServer;

/// How long anything on the page may take, however busy the machine is.
const PATIENCE: Duration = Duration::from_mins(1);

/// A browser and its driver; both end with it.
struct Browser {
    page: Client,
    _driver: Child,
    _profile: tempfile::TempDir,
}

impl Browser {
    async fn open() -> Self {
        let mut driver = Command::new("chromedriver")
            .arg("--port=0")
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("chromedriver is installed (`cargo xtask test` does it)");
        let mut lines = BufReader::new(driver.stdout.take().unwrap()).lines();
        let port = loop {
            let line = lines.next_line().await.unwrap().expect("the driver says its port");
            if let Some((_, port)) = line.split_once("successfully on port ") {
                break port.trim_end_matches('.').parse::<u16>().unwrap();
            }
        };
        let profile = tempfile::tempdir().unwrap();
        let arguments = [
            "--headless".to_owned(),
            "--no-sandbox".to_owned(),
            "--disable-gpu".to_owned(),
            "--no-first-run".to_owned(),
            "--disable-background-networking".to_owned(),
            "--disable-component-update".to_owned(),
            "--disable-sync".to_owned(),
            format!("--user-data-dir={}", profile.path().display()),
        ];
        let mut capabilities = serde_json::Map::new();
        capabilities.insert("goog:chromeOptions".to_owned(), json!({ "args": arguments }));
        let page = ClientBuilder::new(hyper_util::client::legacy::connect::HttpConnector::new())
            .capabilities(capabilities)
            .connect(&format!("http://127.0.0.1:{port}"))
            .await
            .unwrap();
        Self { page, _driver: driver, _profile: profile }
    }

    async fn click(&self, css: &str) {
        self.element(css).await.click().await.unwrap();
    }

    async fn element(&self, css: &str) -> fantoccini::elements::Element {
        let found = self.page.wait().at_most(PATIENCE).for_element(Locator::Css(css)).await;
        found.unwrap_or_else(|err| panic!("{css}: {err}"))
    }
}

#[tokio::test]
async fn it_opens_authorizes_and_lists_projects() {
    let server = TestServer::start("swagger").await;
    let browser = Browser::open().await;
    browser.page.goto(&format!("{}/docs", server.api.base())).await.unwrap();

    browser.click("button.authorize").await;
    let input = browser.element(".auth-container input").await;
    input.send_keys(server.api.key()).await.unwrap();
    browser.click(".auth-btn-wrapper button.authorize").await;
    browser.click(".auth-btn-wrapper button.btn-done").await;

    let operation = "[id$='-list_projects']";
    browser.click(&format!("{operation} .opblock-summary-control")).await;
    browser.click(&format!("{operation} button.try-out__btn")).await;
    browser.click(&format!("{operation} button.execute")).await;
    let status = browser
        .element(&format!("{operation} .live-responses-table tbody td.response-col_status"))
        .await;
    assert!(status.text().await.unwrap().starts_with("200"), "{:?}", status.text().await);
    browser.page.close().await.unwrap();
}
