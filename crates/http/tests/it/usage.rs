//! What builds cost.

use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use insta::assert_json_snapshot;
use serde_json::{Value, json};
use windlass_domain::{BuildId, UsageEvent, UsageEventId};

use crate::harness::TestApi;

/// Puts an entry into the ledger, past the API: for the build of a new environment.
async fn use_cpu(api: &TestApi, project: &str, cpu_micros: u64, billable: bool, at: &str) {
    let at: DateTime<Utc> = at.parse().unwrap();
    let path = format!("/api/projects/{project}/environments");
    let branch = format!("b{}-{cpu_micros}", at.timestamp());
    let environment = api.post(&path, json!({ "branch": branch })).await.body;
    let deployment = &environment["latest_deployment"];
    let text = |value: &Value| value.as_str().unwrap().to_owned();

    let mut uow = api.store.write().await.unwrap();
    let organization = uow.organizations().first_of_everyone().await.unwrap().unwrap();
    let build_id: BuildId = text(&deployment["build_id"]).parse().unwrap();
    let event = UsageEvent {
        // Another kind of thing may share a build's number.
        id: UsageEventId::from_uuid(build_id.to_uuid()),
        organization_id: organization.id,
        project_id: project.parse().unwrap(),
        environment_id: text(&environment["id"]).parse().unwrap(),
        build_id,
        cpu_micros,
        billable,
        at,
    };
    uow.usage().insert(&event).await.unwrap();
    uow.commit().await.unwrap();
}

#[tokio::test]
async fn the_sums_have_the_seed_s_shape_at_the_root_and_ours_beside_them_elsewhere() {
    let api = TestApi::start("usage_sums").await;
    let project = api.project("shop").await;
    use_cpu(&api, &project, 1_500_000, true, "2026-01-01T00:00:00Z").await;
    use_cpu(&api, &project, 2_400_000, true, "2026-01-31T23:59:59Z").await;
    use_cpu(&api, &project, 350_000, false, "2026-01-15T12:00:00Z").await;
    use_cpu(&api, &project, 9_000_000, true, "2026-02-01T00:00:00Z").await;

    let january = api.get("/usage?from=2026-01-01&to=2026-02-01T00:00:00Z").await;

    assert_json_snapshot!(january.body, @r#"
    {
      "billable_build_count": 2,
      "billable_cpu_seconds": 3
    }
    "#);
    let more = api.get("/api/usage?from=2026-01-01T00:00:00&to=2026-02-01").await;
    assert_json_snapshot!(more.body, @r#"
    {
      "billable_build_count": 2,
      "billable_cpu_seconds": 3,
      "build_count": 3,
      "cpu_seconds": 4.25
    }
    "#);
    let all = api.get("/usage").await.body;
    assert_eq!(all["billable_cpu_seconds"], 12);
    assert_eq!(api.get("/usage?from=2027-01-01").await.body["billable_build_count"], 0);
}

#[tokio::test]
async fn periods_that_cannot_be_read_are_refused() {
    let api = TestApi::start("usage_periods").await;
    for (query, status) in [
        ("from=yesterday", StatusCode::BAD_REQUEST),
        ("from=", StatusCode::BAD_REQUEST),
        ("to=2026-02-30", StatusCode::BAD_REQUEST),
        ("to=999999-01-01", StatusCode::BAD_REQUEST),
        ("from=0000-01-01", StatusCode::BAD_REQUEST),
        ("form=2026-01-01", StatusCode::BAD_REQUEST),
        ("from=2026-02-01&to=2026-01-01", StatusCode::UNPROCESSABLE_ENTITY),
    ] {
        let refused = api.get(&format!("/api/usage?{query}")).await;
        assert_eq!(refused.status, status, "{query}: {}", refused.body);
    }
    let body: Value = api.get("/api/usage?from=2026-02-01&to=2026-01-01").await.body;
    assert_eq!(body["fields"][0]["field"], json!("to"));
}
