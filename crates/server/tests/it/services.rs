//! Apps with a database, a Redis server and a bucket of their own, over the whole life of an
//! environment.

use std::{collections::HashSet, fs, os::unix::fs::PermissionsExt as _, path::PathBuf};

use reqwest::{Method, StatusCode};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;
use tempfile::TempDir;

use crate::support::{Deployed, Repository, TestServer, host_of};

const GUESTBOOK: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/guestbook");

/// The example, as a repository.
fn guestbook() -> Repository {
    let files: Vec<(String, String)> = fs::read_dir(GUESTBOOK)
        .unwrap()
        .map(|entry| {
            let entry = entry.unwrap();
            let name = entry.file_name().into_string().unwrap();
            (name, fs::read_to_string(entry.path()).unwrap())
        })
        .collect();
    let files: Vec<(&str, &str)> =
        files.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    Repository::with(&files)
}

/// A server whose backing services are in a folder that their user can reach.
struct WithServices {
    server: TestServer,
    folder: TempDir,
}

impl WithServices {
    async fn start(test: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o711)).unwrap();
        let data = folder.path().join("services");
        let settings =
            [("SERVICES__DATA_DIR", data.to_str().unwrap()), ("SERVICES__USER", "nobody")];
        let server = TestServer::start_with(test, &settings).await;
        Self { server, folder }
    }

    /// The processes of PostgreSQL and Redis servers that run here, by the lock that each server
    /// and its children have as their input.
    fn processes(&self) -> Vec<(i32, PathBuf)> {
        let pids = fs::read_dir("/proc").unwrap().flatten();
        let pids = pids.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        pids.filter_map(|pid: i32| {
            let input = fs::read_link(format!("/proc/{pid}/fd/0")).ok()?;
            input.starts_with(self.folder.path()).then_some((pid, input))
        })
        .collect()
    }

    /// How many servers run here.
    fn servers(&self) -> usize {
        let locks: HashSet<PathBuf> = self.processes().into_iter().map(|(_, lock)| lock).collect();
        locks.len()
    }

    fn kill_servers(&self) {
        for (pid, _) in self.processes() {
            let _ = kill_process(Pid::from_raw(pid).unwrap(), Signal::KILL);
        }
    }

    async fn servers_are(&self, wanted: usize) {
        for _ in 0..600 {
            if self.servers() == wanted {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        panic!("{} servers run, not {wanted}\n{}", self.servers(), self.server.log());
    }

    async fn page(&self, deployed: &Deployed) -> String {
        let (status, page) = self.server.api.visit(&self.server.ingress, &deployed.host).await;
        assert_eq!(status, StatusCode::OK, "{page}\n{}", self.server.log());
        page
    }

    async fn sign(&self, deployed: &Deployed, text: &str) {
        let fields = [("name", "Ann"), ("text", text)];
        let form = reqwest::Url::parse_with_params("http://localhost/", fields).unwrap();
        let request = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .unwrap()
            .post(format!("http://{}/", self.server.ingress))
            .header("Host", &deployed.host)
            .body(form.query().unwrap().to_owned());
        assert_eq!(request.send().await.unwrap().status(), StatusCode::SEE_OTHER);
    }

    async fn photo(&self, method: Method, deployed: &Deployed, bytes: &'static [u8]) -> Vec<u8> {
        let request = reqwest::Client::new()
            .request(method, format!("http://{}/photo", self.server.ingress))
            .header("Host", &deployed.host)
            .body(bytes);
        request.send().await.unwrap().bytes().await.unwrap().to_vec()
    }
}

/// What a test that failed has left over ends with it.
impl Drop for WithServices {
    fn drop(&mut self) {
        self.kill_servers();
    }
}

#[tokio::test]
async fn a_guestbook_keeps_what_is_written_until_it_is_reset_and_nothing_is_left_over() {
    let site = WithServices::start("guestbook").await;
    let (api, repository) = (&site.server.api, guestbook());
    let deployed = api.deploy(repository.path(), json!({})).await;
    assert_eq!(deployed.state(), "live", "{}\n{}", deployed.reason(), site.server.log());
    let page = site.page(&deployed).await;
    assert!(page.contains("Visit 1<") && page.contains("Windlass: Welcome!"), "{page}");
    site.sign(&deployed, "it's <b>fine</b>").await;
    site.photo(Method::PUT, &deployed, b"not really a photo").await;

    // What was written outlives the next deployment, and `on_new` is not run again.
    let next = api.settled(&api.rebuild(&deployed.environment).await).await;
    assert_eq!(next["state"], "live", "{next}");
    let page = site.page(&deployed).await;
    assert!(page.contains("Visit 2<"), "{page}");
    assert!(page.contains("Ann: it&#x27;s &lt;b&gt;fine"), "{page}");
    assert_eq!(page.matches("Welcome!").count(), 1, "{page}");
    assert_eq!(site.photo(Method::GET, &deployed, b"").await, b"not really a photo");

    // Paused, nothing of it runs; resumed, all is there.
    assert_eq!(site.servers(), 2);
    let path = format!("/api/environments/{}", deployed.environment);
    api.post(&format!("{path}/pause"), json!({})).await;
    site.servers_are(0).await;
    api.post(&format!("{path}/resume"), json!({})).await;
    api.visit_until(&site.server.ingress, &deployed.host, StatusCode::OK).await;
    let page = site.page(&deployed).await;
    assert!(page.contains("Ann: ") && !page.contains("Visit 1<"), "{page}");
    assert_eq!(site.photo(Method::GET, &deployed, b"").await, b"not really a photo");

    let reset = api.post(&format!("{path}/reset"), json!({})).await;
    assert_eq!(reset.status, StatusCode::ACCEPTED, "{reset:?}");
    assert_eq!(
        (&reset.body["trigger"], &reset.body["kind"]),
        (&json!("reset"), &json!("brand_new"))
    );
    let reset = api.settled(reset.body["id"].as_str().unwrap()).await;
    assert_eq!(reset["state"], "live", "{reset}");
    let page = site.page(&deployed).await;
    assert!(page.contains("Visit 1<") && page.contains("Welcome!"), "{page}");
    assert!(!page.contains("Ann: "), "{page}");
    assert_eq!(
        site.photo(Method::GET, &deployed, b"").await,
        b"there is no photo yet: PUT one here"
    );

    api.post(&format!("{path}/destroy"), json!({})).await;
    api.until(&path, |environment| environment["state"] == "destroyed").await;
    site.servers_are(0).await;
}

#[tokio::test]
async fn branches_do_not_see_one_anothers_entries() {
    let site = WithServices::start("guestbooks").await;
    let (api, repository) = (&site.server.api, guestbook());
    let main = api.deploy(repository.path(), json!({})).await;
    assert_eq!(main.state(), "live", "{}\n{}", main.reason(), site.server.log());
    repository.branch("other");
    let environment = api.create_environment(&main.project, "other").await;
    let deployment = environment["latest_deployment"]["id"].as_str().unwrap();
    let deployment = api.settled(deployment).await;
    assert_eq!(deployment["state"], "live", "{deployment}");
    let other = Deployed {
        project: main.project.clone(),
        environment: environment["id"].as_str().unwrap().to_owned(),
        host: host_of(&environment),
        deployment,
    };

    site.sign(&main, "of main").await;
    site.photo(Method::PUT, &main, b"of main").await;
    let page = site.page(&other).await;
    assert!(page.contains("Visit 1<") && !page.contains("of main"), "{page}");
    assert_eq!(site.photo(Method::GET, &other, b"").await, b"there is no photo yet: PUT one here");
    // One PostgreSQL for both, a Redis for each.
    assert_eq!(site.servers(), 3);

    api.post(&format!("/api/environments/{}/destroy", other.environment), json!({})).await;
    site.servers_are(2).await;
    assert!(site.page(&main).await.contains("of main"));
    api.delete(&format!("/api/projects/{}", main.project)).await;
    site.servers_are(0).await;
}

#[tokio::test]
async fn services_are_there_again_when_the_server_was_killed_and_they_were_too() {
    let mut site = WithServices::start("guestbook_killed").await;
    let repository = guestbook();
    let deployed = site.server.api.deploy(repository.path(), json!({})).await;
    assert_eq!(deployed.state(), "live", "{}\n{}", deployed.reason(), site.server.log());
    site.sign(&deployed, "before").await;
    site.photo(Method::PUT, &deployed, b"before").await;

    site.server.kill().await;
    site.kill_servers();
    site.server.start_process().await;
    site.servers_are(2).await;
    site.server.api.visit_until(&site.server.ingress, &deployed.host, StatusCode::OK).await;
    assert!(site.page(&deployed).await.contains("Ann: before"));
    assert_eq!(site.photo(Method::GET, &deployed, b"").await, b"before");
}

#[tokio::test]
async fn where_services_cannot_be_had_the_deployment_says_what_is_missing() {
    let server =
        TestServer::start_with("no_services", &[("SERVICES__DATA_DIR", &"/x".repeat(40))]).await;
    let repository = guestbook();
    let deployed = server.api.deploy(repository.path(), json!({})).await;
    assert_eq!(deployed.state(), "failed");
    assert!(deployed.reason().contains(" is missing: "), "{}", deployed.reason());
}
