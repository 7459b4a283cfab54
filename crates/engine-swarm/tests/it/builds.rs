//! Builds with Dockerfiles, and with those that are made.

use windlass_domain::{BuildResult, LogStream};
use windlass_engine::Engine as _;

use crate::site::{
    GRACE, Site, app, assert_complete, assert_gone, build, build_well, docker, get, processes_with,
    text, until, variable,
};

#[tokio::test]
async fn a_dockerfile_is_built_and_run() {
    let (site, request) = Site::with_dockerfile(
        "COPY . /site\nRUN rm /site/Dockerfile && echo out && echo err >&2\n\
         CMD exec httpd -f -p $PORT -h /site",
        &[("index.html", "hello")],
    );
    let engine = site.engine().await;
    let (report, lines) = build(&engine, &request).await.unwrap();
    assert_eq!(report.result, BuildResult::Built, "{report:?}\n{}", text(&lines));
    assert_complete(&report, &lines);
    let line = |text: &str| lines.iter().find(|line| line.text.as_str() == text).unwrap();
    assert_eq!(line("out").stream, LogStream::Stdout);
    assert_eq!(line("err").stream, LogStream::Stderr);
    assert!(text(&lines).contains("Step 2/"), "{}", text(&lines));
    assert!(lines[0].text.as_str().starts_with("Fetching "), "{:?}", lines[0]);

    let app = app(&request);
    let running = engine.start(&app).await.unwrap();
    assert!(get(running.addresses[0], "/index.html").await.ends_with("hello"));
    engine.stop(app.deployment, GRACE).await.unwrap();
}

#[tokio::test]
async fn a_site_without_a_dockerfile_gets_one() {
    let site = Site::new();
    let request = site.request(site.commit(&[("public/index.html", "hello")]));
    let engine = site.engine().await;
    let (report, lines) = build(&engine, &request).await.unwrap();
    assert_eq!(report.result, BuildResult::Built, "{report:?}\n{}", text(&lines));
    assert!(text(&lines).contains("this one is made:\n    FROM windlass-test/base:1\n"));
    let app = app(&request);
    let running = engine.start(&app).await.unwrap();
    assert!(get(running.addresses[0], "/").await.ends_with("hello"));
    engine.stop(app.deployment, GRACE).await.unwrap();
}

#[tokio::test]
async fn what_is_ignored_is_not_sent() {
    let (site, request) = Site::with_dockerfile(
        "COPY . /all\nRUN find /all -type f | sort",
        &[
            (".dockerignore", "*.log\n.git\n!kept.log\n"),
            ("a.log", ""),
            ("kept.log", ""),
            ("b", ""),
        ],
    );
    let engine = site.engine().await;
    let (_, lines) = build(&engine, &request).await.unwrap();
    let sent: Vec<&str> =
        lines.iter().map(|it| it.text.as_str()).filter(|it| it.starts_with("/all/")).collect();
    assert_eq!(sent, ["/all/.dockerignore", "/all/Dockerfile", "/all/b", "/all/kept.log"]);
}

#[tokio::test]
async fn variables_are_arguments_of_the_build() {
    let (site, mut request) = Site::with_dockerfile(
        "ARG KEY\nARG WINDLASS_COMMIT\nRUN echo \"[$KEY][$WINDLASS_COMMIT]\"",
        &[],
    );
    request.variables = vec![variable("KEY", "a 'b' \"c\" $d")];
    let engine = site.engine().await;
    let (_, lines) = build(&engine, &request).await.unwrap();
    let expected = format!("[a 'b' \"c\" $d][{}]", request.commit);
    assert!(text(&lines).contains(&expected), "{}", text(&lines));
}

#[tokio::test]
async fn a_build_that_fails_says_how() {
    let (site, request) = Site::with_dockerfile("RUN echo broken; exit 3", &[]);
    let engine = site.engine().await;
    let (report, lines) = build(&engine, &request).await.unwrap();
    assert_eq!(report.result, BuildResult::BuildFailed);
    assert!(report.message.contains("returned a non-zero code: 3"), "{report:?}");
    assert!(text(&lines).contains("broken"));
    assert_complete(&report, &lines);
    assert_eq!(engine.kept_builds().await.unwrap(), []);

    let (site, request) = Site::with_dockerfile("NONSENSE", &[]);
    let engine = site.engine().await;
    let (report, _) = build(&engine, &request).await.unwrap();
    assert_eq!(report.result, BuildResult::ClientError);
    assert!(report.message.to_lowercase().contains("nonsense"), "{report:?}");
}

#[tokio::test]
async fn a_cancelled_build_ends_with_all_it_started() {
    let mark = "sleep 98761.1";
    let command = format!("RUN {mark} & setsid {mark} & wait");
    let (site, request) = Site::with_dockerfile(&command, &[]);
    let engine = site.engine().await;
    let cancel = async {
        until("the build sleeps", async || 2 <= processes_with("98761.1").len()).await;
        engine.cancel_build(request.build).await.unwrap();
    };
    let (done, ()) = tokio::join!(build(&engine, &request), cancel);
    let (report, lines) = done.unwrap();
    assert_eq!(report.result, BuildResult::Cancelled);
    assert_complete(&report, &lines);
    assert_gone("98761.1");
}

#[tokio::test]
async fn what_a_command_prints_cannot_end_another_container() {
    let (site, request) = Site::with_dockerfile("CMD exec httpd -f -p $PORT", &[]);
    let engine = site.engine().await;
    build_well(&engine, &request).await;
    let victim = app(&request);
    let running = engine.start(&victim).await.unwrap();
    let label = format!("label=windlass.deployment={}", victim.deployment);
    let id = docker(&["container", "ls", "--quiet", "--filter", &label]);
    assert_eq!(id.len(), 12);

    let lie = format!("RUN echo ' ---> Running in {id}'; sleep 98761.2");
    let (other, request) = Site::with_dockerfile(&lie, &[]);
    let liar = other.engine().await;
    let cancel = async {
        until("the build sleeps", async || !processes_with("sleep\098761.2").is_empty()).await;
        liar.cancel_build(request.build).await.unwrap();
    };
    let (_, ()) = tokio::join!(build(&liar, &request), cancel);
    assert!(get(running.addresses[0], "/").await.starts_with("HTTP/1."));
    engine.stop(victim.deployment, GRACE).await.unwrap();
}

#[tokio::test]
async fn images_of_builds_that_are_removed_are_gone_unless_they_are_used() {
    let (site, request) = Site::with_dockerfile("CMD exec httpd -f -p $PORT", &[]);
    let engine = site.engine().await;
    build_well(&engine, &request).await;
    let app = app(&request);
    engine.start(&app).await.unwrap();
    engine.remove_builds(&[request.build]).await.unwrap();
    assert_eq!(engine.kept_builds().await.unwrap(), [request.build]);
    engine.stop(app.deployment, GRACE).await.unwrap();
    // The swarm clears the container away in its own time.
    until("the image is gone", async || {
        engine.remove_builds(&[request.build]).await.unwrap();
        engine.kept_builds().await.unwrap().is_empty()
    })
    .await;
    let label = format!("label=windlass.namespace={}", site.namespace());
    assert_eq!(docker(&["image", "ls", "--quiet", "--filter", &label]), "");
}
