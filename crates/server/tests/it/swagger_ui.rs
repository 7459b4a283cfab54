//! Swagger UI in a real browser: opened, authorized, used.

use crate::support::{Browser, TestServer};

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
