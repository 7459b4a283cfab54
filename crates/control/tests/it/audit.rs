//! The audit log beside running servers.

use metrics_exporter_prometheus::PrometheusBuilder;
use windlass_auth::{Actor, AuditEntry, AuditOutcome, Scope};
use windlass_control::{AuditFilter, Presentation, create_api_key, list_audit_log, list_projects};
use windlass_domain::PageRequest;
use windlass_storage::Store as _;

use crate::{
    keys::key,
    support::{Platform, Server, occasion},
};

async fn stored(platform: &Platform) -> Vec<AuditEntry> {
    let filter = AuditFilter { outcome: Some(AuditOutcome::Refused), ..AuditFilter::default() };
    let mut uow = platform.store.read().await.unwrap();
    let organization = platform.owner.organization();
    uow.audit().list(organization, &filter, PageRequest::default()).await.unwrap().items
}

#[tokio::test]
async fn refusals_are_written_down_by_the_time_a_server_has_stopped() {
    let platform = Platform::new("audit_stop").await;
    let control = platform.another("it");
    let minted = create_api_key(&platform.control, &platform.owner, key(&[])).await.unwrap();
    let presented = Presentation::bearer(minted.key.expose());
    let server = Server::start(control.clone());
    let caller = control.identify(presented, occasion()).await.unwrap();
    list_projects(&control, &caller, PageRequest::default()).await.unwrap_err();
    control.identify(Presentation::bearer("wls_mistyped"), occasion()).await.unwrap_err();

    server.stop().await;

    let mut lines = stored(&platform).await;
    lines.sort_by_key(|line| line.actor.is_none());
    let [known, stranger] = lines.as_slice() else { panic!("{lines:?}") };
    assert!(matches!(&known.actor, Some(Actor::Credential { id, .. })
        if *id == minted.record.id.to_string()));
    assert_eq!(known.permission.as_deref(), Some("projects:read"));
    assert_eq!((stranger.actor.as_ref(), stranger.times), (None, 1));
}

#[tokio::test]
async fn refusals_without_room_are_counted_and_the_rest_is_kept() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let metrics = recorder.handle();
    let _guard = metrics::set_default_local_recorder(&recorder);
    let platform = Platform::new("audit_room").await;
    let control = &platform.control;
    let minted = create_api_key(control, &platform.owner, key(&[Scope::Build])).await.unwrap();
    let presented = Presentation::bearer(minted.key.expose());
    let caller = control.identify(presented, occasion()).await.unwrap();
    for _ in 0..1_100 {
        list_projects(control, &caller, PageRequest::default()).await.unwrap_err();
    }

    let mut request = PageRequest::new(None, Some(200)).unwrap();
    let mut count = 0;
    let filter = AuditFilter { outcome: Some(AuditOutcome::Refused), ..AuditFilter::default() };
    loop {
        let page = list_audit_log(control, &platform.owner, &filter, request).await.unwrap();
        count += page.items.len();
        request.cursor = page.items.last().map(|line| line.id);
        if !page.has_next {
            break;
        }
    }
    assert_eq!(count, 1_000);
    assert!(metrics.render().contains("windlass_audit_refusals_dropped_total 100"));
}
