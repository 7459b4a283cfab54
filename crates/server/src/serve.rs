//! Starts the server, and stops it.

use std::{net::SocketAddr, thread, time::Duration};

use anyhow::Context as _;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::{net::TcpListener, runtime};
use tokio_util::sync::CancellationToken;
use windlass_auth::OneTimeSecret;
use windlass_control::{Causes, ControlError, Installation, SetUpFor};
use windlass_domain::Effects;
use windlass_http::{HttpState, Options};
use windlass_services::{BackingServices, ServiceError};

#[cfg(feature = "bench")]
use crate::bench;
use crate::{
    ServeArgs,
    config::Config,
    data_dir::DataDir,
    door,
    parts::{self, Ports, Running},
    shutdown,
    tls::TlsDoor,
    trace,
    waking::wake_on_request,
};

/// Upper ends of the buckets of everything that is measured in seconds.
const SECONDS: [f64; 14] =
    [0.001, 0.005, 0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0, 300.0, 1_800.0];

/// Serves until a signal asks to stop.
pub(crate) fn run(args: &ServeArgs) -> anyhow::Result<()> {
    let config = Config::load(args)?;
    let runtime = runtime::Builder::new_multi_thread().enable_all().build()?;
    // Visitors of apps and callers of the API do not keep one another waiting.
    let visitors = runtime::Builder::new_multi_thread()
        .worker_threads(threads_for_visitors())
        .thread_name("ingress")
        .enable_all()
        .build()?;
    let outcome = runtime.block_on(serve(&config, visitors.handle()));
    // A hash or a look at the disk that is still under way is not worth waiting for.
    visitors.shutdown_timeout(Duration::from_secs(1));
    runtime.shutdown_timeout(Duration::from_secs(1));
    outcome
}

/// Half of the processors: the apps themselves need some, too.
fn threads_for_visitors() -> usize {
    thread::available_parallelism().map_or(1, |count| count.get().div_ceil(2))
}

/// Brings the database up to date.
pub(crate) fn migrate(args: &ServeArgs) -> anyhow::Result<()> {
    let config = Config::load(args)?;
    let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let data = DataDir::open(&config.server.data_dir)?;
        parts::open_store(&config, &data).await?;
        Ok(())
    })
}

async fn serve(config: &Config, visitors: &runtime::Handle) -> anyhow::Result<()> {
    let _tracing = trace::start(config)?;
    raise_file_limit();
    let stop = shutdown::on_signal().context("cannot listen for signals")?;
    let data = DataDir::open(&config.server.data_dir)?;
    let Some(started) = stop.run_until_cancelled(Started::new(config, &data)).await else {
        return Ok(());
    };
    let Started { running, metrics, api, ingress, tls, ports } = started?;
    let (api_address, ingress_address) = (api.local_addr()?, ingress.local_addr()?);

    let state = || HttpState {
        control: running.control.clone(),
        clock: running.clock.clone(),
        entropy: running.entropy.clone(),
        metrics: metrics.clone(),
        stopping: stop.clone(),
        options: Options {
            apps: parts::app_address(config, ports),
            public_url: config.server.public_url.clone(),
            open_metrics: config.server.open_metrics,
            proxies: parts::trusted_proxies(config),
            limits: parts::rate_limits(config),
            request_timeout: Duration::from_secs(30),
        },
    };
    #[cfg(feature = "bench")]
    bench::open_door(state(), &running, &data).await?;
    let limit = Duration::from_secs(config.server.shutdown_seconds);
    let router = windlass_http::router(state());
    let door = tokio::spawn(door::serve(api, router, stop.clone(), limit));
    let rest = CancellationToken::new();
    let mut background = tokio::spawn({
        let (control, rest) = (running.control.clone(), rest.clone());
        async move { control.run(rest).await }
    });
    let waking = tokio::spawn({
        let (ingress, control, rest) =
            (running.ingress.clone(), running.control.clone(), rest.clone());
        async move { wake_on_request(&ingress, &control, rest).await }
    });
    let mut proxy = visitors.spawn({
        let (proxy, rest) = (running.ingress.clone(), rest.clone());
        async move {
            let ingress = TcpListener::from_std(ingress)?;
            proxy.serve(ingress, rest.cancelled_owned()).await;
            Ok::<_, std::io::Error>(())
        }
    });
    let mut tls_proxy = visitors.spawn({
        let (ingress, rest) = (running.ingress.clone(), rest.clone());
        async move {
            if let Some(door) = tls {
                return door.serve(ingress, rest).await;
            }
            rest.cancelled().await;
            Ok(())
        }
    });
    offer_set_up(config, &running, api_address).await;
    announce(&data, api_address, ingress_address)?;

    // The API goes first: a request that is under way could still wait for a job, and visitors of
    // apps need not notice.
    let outcome = tokio::select! {
        served = door => served.context("the API failed"),
        ended = &mut background => ended.context("the background work failed"),
        ended = &mut proxy => ended.context("the ingress failed").and_then(|served| Ok(served?)),
        ended = &mut tls_proxy => {
            ended.context("the ingress failed").and_then(|served| Ok(served?))
        }
    };
    stop.cancel();
    rest.cancel();
    if outcome.is_ok() {
        let _ = tokio::join!(background, proxy, tls_proxy, waking);
    }
    part_with_apps(config, &running).await;
    outcome
}

/// Everything that is there before the server begins to answer.
struct Started {
    running: Running,
    metrics: PrometheusHandle,
    api: TcpListener,
    /// Still without threads: those that wait on it are not these.
    ingress: std::net::TcpListener,
    tls: Option<TlsDoor>,
    ports: Ports,
}

impl Started {
    async fn new(config: &Config, data: &DataDir) -> anyhow::Result<Self> {
        let metrics = record_metrics()?;
        tokio::spawn(keep_up(metrics.clone()));
        let store = parts::open_store(config, data).await?;
        let api = bind(config.server.listen, "server.listen").await?;
        let ingress = bind(config.ingress.listen, "ingress.listen").await?;
        let tls = TlsDoor::open(&config.ingress.tls)?;
        let ports = Ports {
            plain: ingress.local_addr()?.port(),
            tls: tls.as_ref().map(TlsDoor::port).transpose()?,
        };
        let running = parts::make(config, data, store, ports).await?;
        install(&running, data).await?;
        warn_about(config, &running).await;
        // What survived the last server is taken over before anybody can ask for it.
        match running.control.reconcile().await {
            Err(ControlError::Unavailable(_)) if running.engine.check().await.is_err() => {
                tracing::warn!("the engine is not there: what runs is taken over once it is back");
            }
            outcome => outcome.context("cannot take over what runs")?,
        }
        Ok(Self { running, metrics, api, ingress: ingress.into_std()?, tls, ports })
    }
}

/// Every connection is a file, and the usual limit is far below what the ingress takes.
fn raise_file_limit() {
    let limit = getrlimit(Resource::Nofile);
    if let Err(err) = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit }) {
        tracing::warn!(error = %err, "the limit on open files stays as it is");
    }
}

async fn bind(address: SocketAddr, key: &'static str) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address)
        .await
        .with_context(|| format!("cannot listen on {address}: choose another `{key}`"))
}

fn record_metrics() -> anyhow::Result<PrometheusHandle> {
    PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS)?
        .install_recorder()
        .context("cannot record metrics")
}

/// Moves what was measured out of buffers that would grow for as long as nobody asks.
async fn keep_up(metrics: PrometheusHandle) {
    loop {
        tokio::time::sleep(Duration::from_secs(5)).await;
        metrics.run_upkeep();
    }
}

async fn install(running: &Running, data: &DataDir) -> anyhow::Result<()> {
    let installation =
        windlass_control::install(&running.control, |key| data.write_owner_key(key)).await;
    if installation.context("cannot set up the organization")? == Installation::Made {
        let path = data.owner_key_file();
        tracing::info!(path = %path.display(), "the owner's API key is in this file");
    }
    Ok(())
}

async fn warn_about(config: &Config, running: &Running) {
    for missing in running.engine.warnings().await {
        tracing::warn!("{missing}");
    }
    let tls = config.ingress.tls.listen.map(|address| ("the ingress", address));
    let doors = [("the API", config.server.listen), ("the ingress", config.ingress.listen)];
    for (what, address) in doors.into_iter().chain(tls) {
        if !address.ip().is_loopback() {
            tracing::warn!(
                %address,
                "{what} can be reached from other machines, and builds and apps run on this one: \
                 whoever may deploy runs programs here",
            );
        }
    }
}

/// Tells people and scripts that the server answers.
fn announce(data: &DataDir, api: SocketAddr, ingress: SocketAddr) -> anyhow::Result<()> {
    let addresses = serde_json::json!({
        "api": format!("http://{api}"),
        "ingress": format!("http://{ingress}"),
        "pid": std::process::id(),
    });
    data.write_addresses(&addresses).context("cannot write to the data folder")?;
    tracing::info!(%api, %ingress, docs = format!("http://{api}/docs"), "listening");
    // A script that has closed its end does not stop the server.
    let _ = crate::print(&format!("listening on http://{api}"));
    Ok(())
}

/// Shows people how to claim the owner's account while nobody can sign in as the owner. The link is
/// as good as a key: it goes to whoever has started the server, and never through the log.
async fn offer_set_up(config: &Config, running: &Running, api: SocketAddr) {
    let fx = Effects { clock: &*running.clock, entropy: &*running.entropy };
    match windlass_control::offer_set_up(&*running.store, fx, SetUpFor::Newcomer).await {
        Ok(Some(secret)) => crate::complain(&format!(
            "nobody can sign in yet: within an hour, set up the owner's account at {}",
            set_up_link(config, api, &secret)
        )),
        Ok(None) => {}
        Err(err) => tracing::warn!(error = %Causes(&err), "cannot make a link to set up with"),
    }
}

/// Where a person claims the owner's account.
pub(crate) fn set_up_link(config: &Config, api: SocketAddr, secret: &OneTimeSecret) -> String {
    let place = match config.server.public_url.trim_end_matches('/') {
        "" => format!("http://{api}"),
        url => url.to_owned(),
    };
    format!("{place}/setup?token={}", secret.expose())
}

/// Stops all backing services; what they hold stays.
async fn rest_all(services: &dyn BackingServices) -> Result<(), ServiceError> {
    for place in services.places().await? {
        services.rest(place).await?;
    }
    Ok(())
}

async fn part_with_apps(config: &Config, running: &Running) {
    let grace = Duration::from_secs(config.apps.stop_grace_seconds);
    if config.server.stop_apps {
        if let Err(err) = running.engine.stop_all(grace).await {
            tracing::error!(error = %Causes(&err), "cannot stop all apps");
        }
        if let Err(err) = rest_all(&*running.services).await {
            tracing::error!(error = %Causes(&err), "cannot stop all backing services");
        }
        return;
    }
    let count = running.engine.as_engine().observe().await.map_or(0, |all| all.len());
    if 0 < count {
        tracing::info!(
            count,
            "apps go on running and are taken over by the next start; `--stop-apps` ends them",
        );
    }
}
