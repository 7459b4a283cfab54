//! The log on standard error, and traces by OpenTelemetry where it is configured.

use std::io::{self, IsTerminal as _};

use anyhow::Context as _;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::{SpanExporter, WithExportConfig as _};
use opentelemetry_sdk::{Resource, trace::SdkTracerProvider};
use tracing::Level;
use tracing_subscriber::{
    EnvFilter, Layer as _, filter::filter_fn, layer::SubscriberExt as _,
    util::SubscriberInitExt as _,
};

use crate::config::{Config, LogFormat};

/// Ends tracing: what is still to be sent is sent when it is dropped.
pub(crate) struct Tracing {
    provider: Option<SdkTracerProvider>,
}

impl Drop for Tracing {
    fn drop(&mut self) {
        if let Some(provider) = &self.provider {
            // Nobody is left to be told.
            let _ = provider.shutdown();
        }
    }
}

/// Begins to log and to trace.
pub(crate) fn start(config: &Config) -> anyhow::Result<Tracing> {
    let filter = EnvFilter::try_new(&config.log.filter).context("log.filter is wrong")?;
    let as_text = match config.log.format {
        LogFormat::Auto => io::stderr().is_terminal(),
        LogFormat::Text => true,
        LogFormat::Json => false,
    };
    let lines = tracing_subscriber::fmt::layer().with_writer(io::stderr);
    let lines = if as_text { lines.boxed() } else { lines.json().boxed() };
    let provider = exporter(&config.telemetry.otlp_endpoint)?;
    let spans = provider
        .as_ref()
        .map(|provider| tracing_opentelemetry::layer().with_tracer(provider.tracer("windlass")));
    // Docker's client writes out whole requests there, with the variables of apps.
    let no_requests = filter_fn(|metadata| {
        !metadata.target().starts_with("bollard") || *metadata.level() <= Level::INFO
    });
    tracing_subscriber::registry()
        .with(filter)
        .with(no_requests)
        .with(lines)
        .with(spans)
        .try_init()?;
    Ok(Tracing { provider })
}

fn exporter(endpoint: &str) -> anyhow::Result<Option<SdkTracerProvider>> {
    if endpoint.is_empty() {
        return Ok(None);
    }
    let exporter = SpanExporter::builder()
        .with_http()
        .with_endpoint(format!("{}/v1/traces", endpoint.trim_end_matches('/')))
        .build()
        .context("telemetry.otlp_endpoint is wrong")?;
    let resource = Resource::builder().with_service_name("windlass").build();
    let provider =
        SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource).build();
    Ok(Some(provider))
}
