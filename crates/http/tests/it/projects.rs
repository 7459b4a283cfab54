//! Projects: created, changed, listed, deleted.

use axum::{
    body::Body,
    http::{Method, StatusCode, header},
};
use chrono::TimeDelta;
use insta::assert_json_snapshot;
use serde_json::{Value, json};

use crate::harness::{TestApi, id};

#[tokio::test]
async fn the_seed_s_example_works_as_it_is_written() {
    let api = TestApi::start("project_seed").await;

    let created = api
        .post(
            "/api/projects",
            json!({
                "name": "my-app",
                "github_repo": "octocat/my-app",
                "dockerfile": "Dockerfile",
                "build_context": ".",
                "services": { "postgres": true, "redis": true, "s3": false },
            }),
        )
        .await;

    assert_eq!(created.status, StatusCode::CREATED);
    assert_eq!(created.headers[header::ETAG], "\"1\"");
    let location = created.headers[header::LOCATION].to_str().unwrap().to_owned();
    assert_json_snapshot!(created.body, @r#"
    {
      "build_command": null,
      "build_context": ".",
      "build_resources": {
        "cpu": null,
        "memory_mb": null,
        "timeout_seconds": null
      },
      "created_at": "2026-01-01T00:00:00Z",
      "default_branch": "main",
      "dockerfile": "Dockerfile",
      "git_url": "https://github.com/octocat/my-app.git",
      "github_repo": "octocat/my-app",
      "health_path": null,
      "hooks": {
        "on_deploy": null,
        "on_new": null
      },
      "id": "proj_01kdvdna00e008000000000007",
      "name": "my-app",
      "port": null,
      "previews": {
        "branches": [],
        "enabled": true,
        "idle_pause_seconds": null,
        "limit": 20,
        "ttl_seconds": null
      },
      "resources": {
        "cpu": null,
        "memory_mb": null
      },
      "services": {
        "postgres": true,
        "redis": true,
        "s3": false
      },
      "slug": "my-app",
      "start_command": null,
      "state": "active",
      "updated_at": "2026-01-01T00:00:00Z"
    }
    "#);
    let got = api.get(&location).await;
    assert_eq!((got.status, got.body), (StatusCode::OK, created.body));
}

#[tokio::test]
async fn every_setting_is_kept() {
    let api = TestApi::start("project_settings").await;
    let settings = json!({
        "name": "Größe",
        "git_url": "ssh://git@git.example.com:2222/team/shop.git",
        "default_branch": "trunk",
        "dockerfile": null,
        "build_context": "apps/web",
        "build_command": "npm ci\nnpm run build",
        "start_command": "node server.js",
        "health_path": "/healthz?deep=1",
        "port": 8080,
        "resources": { "cpu": 0.5, "memory_mb": 256 },
        "build_resources": { "cpu": 2.0, "memory_mb": 2048, "timeout_seconds": 900 },
        "hooks": { "on_new": "npm run seed", "on_deploy": "npm run migrate" },
    });

    let created = api.post("/api/projects", settings.clone()).await;

    assert_eq!(created.status, StatusCode::CREATED, "{}", created.body);
    for (name, value) in settings.as_object().unwrap() {
        assert_eq!(&created.body[name], value, "{name}");
    }
    assert_eq!(created.body["slug"], "gr-e");
}

#[tokio::test]
async fn a_merge_patch_changes_what_it_names_and_nothing_else() {
    let api = TestApi::start("project_patch").await;
    let created = api
        .post(
            "/api/projects",
            json!({
                "name": "shop",
                "github_repo": "octocat/shop",
                "start_command": "node server.js",
                "port": 8080,
                "services": { "postgres": true, "redis": true },
                "resources": { "cpu": 0.5, "memory_mb": 256 },
            }),
        )
        .await;
    let path = format!("/api/projects/{}", id(&created));
    api.clock.advance(TimeDelta::hours(1));

    let changed = api
        .patch(
            &path,
            json!({
                "name": "Shop",
                "port": null,
                "services": { "redis": null, "s3": true },
                "resources": { "memory_mb": 512 },
            }),
        )
        .await;

    assert_eq!(changed.status, StatusCode::OK, "{}", changed.body);
    assert_eq!(changed.headers[header::ETAG], "\"2\"");
    let mut expected = created.body.clone();
    expected["name"] = json!("Shop");
    expected["port"] = Value::Null;
    expected["services"] = json!({ "postgres": true, "redis": false, "s3": true });
    expected["resources"] = json!({ "cpu": 0.5, "memory_mb": 512 });
    expected["updated_at"] = json!("2026-01-01T01:00:00Z");
    assert_eq!(changed.body, expected);

    let moved = api.patch(&path, json!({ "git_url": "https://git.example.com/shop.git" })).await;
    assert_eq!(moved.body["github_repo"], Value::Null);
    let reset = api.patch(&path, json!({ "services": null, "default_branch": null })).await;
    assert_eq!(reset.body["services"], json!({ "postgres": false, "redis": false, "s3": false }));
    assert_eq!(reset.body["default_branch"], "main");
}

#[tokio::test]
async fn all_wrong_fields_are_told_at_once() {
    let api = TestApi::start("project_fields").await;

    let refused = api
        .post(
            "/api/projects",
            json!({
                "name": " shop",
                "git_url": "ext::sh -c touch% /tmp/pwned",
                "default_branch": "--upload-pack=evil",
                "dockerfile": "../Dockerfile",
                "build_context": "/etc",
                "build_command": "\u{0}",
                "health_path": "healthz",
                "port": 0,
                "resources": { "cpu": 0, "memory_mb": 1 },
                "build_resources": { "cpu": 1e300, "timeout_seconds": 0 },
            }),
        )
        .await;

    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_json_snapshot!(refused.body, @r#"
    {
      "code": "invalid_fields",
      "error": "Unprocessable Entity",
      "fields": [
        {
          "field": "name",
          "message": "must not begin or end with a blank"
        },
        {
          "field": "git_url",
          "message": "must be a git address such as `https://git.example.com/shop.git`"
        },
        {
          "field": "default_branch",
          "message": "must be a git branch name of at most 200 bytes, such as `main` or `feature/login`"
        },
        {
          "field": "dockerfile",
          "message": "must be a path of at most 255 bytes inside the repository, without `..`"
        },
        {
          "field": "build_context",
          "message": "must be a path of at most 255 bytes inside the repository, without `..`"
        },
        {
          "field": "build_command",
          "message": "must be a shell command of 1 to 4000 bytes without control characters"
        },
        {
          "field": "health_path",
          "message": "must begin with `/` and have at most 1000 visible ASCII characters"
        },
        {
          "field": "port",
          "message": "must be between 1 and 65535"
        },
        {
          "field": "resources.cpu",
          "message": "must be between 0.01 and 1024"
        },
        {
          "field": "resources.memory_mb",
          "message": "must be between 8 and 16777216"
        },
        {
          "field": "build_resources.cpu",
          "message": "must be between 0.01 and 1024"
        },
        {
          "field": "build_resources.timeout_seconds",
          "message": "must be between 1 and 86400"
        }
      ],
      "message": "name must not begin or end with a blank; git_url must be a git address such as `https://git.example.com/shop.git`; default_branch must be a git branch name of at most 200 bytes, such as `main` or `feature/login`; dockerfile must be a path of at most 255 bytes inside the repository, without `..`; bui…",
      "request_id": "test"
    }
    "#);
    assert_eq!(api.get("/api/projects").await.body, json!([]));
}

#[tokio::test]
async fn a_source_is_needed_and_its_two_forms_must_agree() {
    let api = TestApi::start("project_source").await;
    let fields = async |body: Value| {
        let refused = api.post("/api/projects", body).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", refused.body);
        refused.body["fields"].clone()
    };

    assert_eq!(
        fields(json!({})).await,
        json!([
            { "field": "name", "message": "is required" },
            { "field": "git_url", "message": "is required, unless `github_repo` is given" },
        ])
    );
    assert_eq!(
        fields(json!({ "name": "a", "github_repo": "o/a", "git_url": "https://x.example/a" }))
            .await,
        json!([{
            "field": "git_url",
            "message": "must be https://github.com/o/a.git or be left out",
        }])
    );
    assert_eq!(
        fields(json!({ "name": "a", "git_url": "/srv/git/a" })).await[0]["field"],
        "git_url"
    );
    let both =
        json!({ "name": "a", "github_repo": "o/a", "git_url": "https://github.com/o/a.git" });
    assert_eq!(api.post("/api/projects", both).await.status, StatusCode::CREATED);
}

#[tokio::test]
async fn a_change_of_an_outdated_version_is_refused() {
    let api = TestApi::start("project_if_match").await;
    let path = format!("/api/projects/{}", api.project("shop").await);
    let send = async |method: Method, tag: &str| {
        let request = TestApi::request(&api.owner, method, &path)
            .header(header::IF_MATCH, tag)
            .header(header::CONTENT_TYPE, "application/merge-patch+json")
            .body(Body::from(r#"{"port":1}"#));
        api.answer(request.unwrap()).await
    };

    assert_eq!(send(Method::PATCH, "\"1\"").await.status, StatusCode::OK);
    let outdated = send(Method::PATCH, "\"1\"").await;
    assert_eq!(outdated.status, StatusCode::PRECONDITION_FAILED);
    assert_eq!(outdated.body["code"], "changed");
    assert_eq!(send(Method::PATCH, "W/\"2\"").await.status, StatusCode::PRECONDITION_FAILED);
    assert_eq!(send(Method::PATCH, "\"of another server\"").await.status, outdated.status);
    assert_eq!(send(Method::PATCH, "\"2").await.status, StatusCode::BAD_REQUEST);
    assert_eq!(send(Method::PATCH, "\"1\", \"2\"").await.status, StatusCode::BAD_REQUEST);
    assert_eq!(send(Method::DELETE, "\"1\"").await.status, StatusCode::PRECONDITION_FAILED);
    assert_eq!(send(Method::PATCH, "2").await.status, StatusCode::OK, "without its marks");
    assert_eq!(send(Method::PATCH, "*").await.status, StatusCode::OK);
    assert_eq!(send(Method::DELETE, "\"4\"").await.status, StatusCode::ACCEPTED);
}

#[tokio::test]
async fn who_has_it_already_is_not_sent_it_again() {
    let api = TestApi::start("project_if_none_match").await;
    let path = format!("/api/projects/{}", api.project("shop").await);
    let get = async |tag: &str| {
        let request = TestApi::request(&api.owner, Method::GET, &path)
            .header(header::IF_NONE_MATCH, tag)
            .body(Body::empty());
        api.answer(request.unwrap()).await
    };

    assert_eq!(get("\"1\"").await.status, StatusCode::NOT_MODIFIED);
    assert_eq!(get("\"7\", W/\"1\"").await.status, StatusCode::NOT_MODIFIED);
    assert_eq!(get("\"2\"").await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_deleted_project_is_gone() {
    let api = TestApi::start("project_delete").await;
    let path = format!("/api/projects/{}", api.project("shop").await);

    let deleted = api.delete(&path).await;

    assert_eq!((deleted.status, &deleted.body["state"]), (StatusCode::ACCEPTED, &json!("deleted")));
    assert_eq!(api.get(&path).await.status, StatusCode::NOT_FOUND);
    assert_eq!(api.delete(&path).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn lists_go_page_by_page() {
    let api = TestApi::start("project_pages").await;
    for name in ["a", "b", "c"] {
        api.project(name).await;
        api.clock.advance(TimeDelta::seconds(1));
    }

    let first = api.get("/api/projects?limit=2").await;
    let names = |body: &Value| -> Vec<String> {
        let items = body.as_array().unwrap();
        items.iter().map(|item| item["name"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names(&first.body), ["c", "b"]);
    let cursor = first.headers["x-next-cursor"].to_str().unwrap();
    let link = first.headers[header::LINK].to_str().unwrap();
    assert_eq!(link, format!("</api/projects?limit=2&cursor={cursor}>; rel=\"next\""));

    let next = link.trim_start_matches('<').split('>').next().unwrap();
    let last = api.get(next).await;
    assert_eq!(names(&last.body), ["a"]);
    assert!(!last.headers.contains_key(header::LINK));
}
