//! How a project is built and run: the shapes of its parts, and their checks.

use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use windlass_domain::{
    BuildResources, MEMORY_MB, Resources, Services, TIMEOUT_SECONDS, check_health_path,
    check_repository_path, cpu_millis,
};

use crate::{
    extract::{Patch, Whole},
    fields::Fields,
};

/// Backing services that the app asks for.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Services)]
pub(crate) struct ServicesView {
    pub(crate) postgres: bool,
    pub(crate) redis: bool,
    pub(crate) s3: bool,
}

/// What each running app may use; `null` is the server's default.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Resources)]
pub(crate) struct ResourcesView {
    /// CPU cores.
    #[schema(example = 0.5)]
    pub(crate) cpu: Option<f64>,
    /// Memory in MiB.
    #[schema(example = 256)]
    pub(crate) memory_mb: Option<u32>,
}

/// What each build may use; `null` is the server's default.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = BuildResources)]
pub(crate) struct BuildResourcesView {
    /// CPU cores.
    #[schema(example = 2.0)]
    pub(crate) cpu: Option<f64>,
    /// Memory in MiB.
    #[schema(example = 2048)]
    pub(crate) memory_mb: Option<u32>,
    /// Wall-clock seconds.
    #[schema(example = 900)]
    pub(crate) timeout_seconds: Option<u32>,
}

/// Backing services to ask for; what is absent stays.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ServicesPatch)]
pub(crate) struct ServicesBody {
    #[serde(default)]
    #[schema(value_type = Option<bool>)]
    postgres: Patch<bool>,
    #[serde(default)]
    #[schema(value_type = Option<bool>)]
    redis: Patch<bool>,
    #[serde(default)]
    #[schema(value_type = Option<bool>)]
    s3: Patch<bool>,
}

/// What each running app may use; what is absent stays, `null` is the server's default.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ResourcesPatch)]
pub(crate) struct ResourcesBody {
    /// CPU cores.
    #[serde(default)]
    #[schema(value_type = Option<f64>, minimum = 0.01, maximum = 1024.0, example = 0.5)]
    cpu: Patch<f64>,
    /// Memory in MiB.
    #[serde(default)]
    #[schema(value_type = Option<u32>, minimum = 8, maximum = 16_777_216, example = 256)]
    memory_mb: Patch<Whole>,
}

/// What each build may use; what is absent stays, `null` is the server's default.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = BuildResourcesPatch)]
pub(crate) struct BuildResourcesBody {
    /// CPU cores.
    #[serde(default)]
    #[schema(value_type = Option<f64>, minimum = 0.01, maximum = 1024.0, example = 2.0)]
    cpu: Patch<f64>,
    /// Memory in MiB.
    #[serde(default)]
    #[schema(value_type = Option<u32>, minimum = 8, maximum = 16_777_216, example = 2048)]
    memory_mb: Patch<Whole>,
    /// Wall-clock seconds.
    #[serde(default)]
    #[schema(value_type = Option<u32>, minimum = 1, maximum = 86_400, example = 900)]
    timeout_seconds: Patch<Whole>,
}

impl ServicesBody {
    pub(crate) fn apply(self, services: &mut Services) {
        let Self { postgres, redis, s3 } = self;
        postgres.apply_or(&mut services.postgres, false);
        redis.apply_or(&mut services.redis, false);
        s3.apply_or(&mut services.s3, false);
    }
}

/// [`ResourcesBody`] and [`BuildResourcesBody`], checked.
#[derive(Debug, Default)]
pub(crate) struct ResourcesEdit {
    cpu_millis: Patch<u32>,
    memory_mb: Patch<u32>,
    timeout_seconds: Patch<u32>,
}

impl ResourcesBody {
    pub(crate) fn parse(self, fields: &mut Fields) -> ResourcesEdit {
        let Self { cpu, memory_mb } = self;
        ResourcesEdit {
            cpu_millis: cpu.and_then(|cpu| millis(fields, "resources.cpu", cpu)),
            memory_mb: memory_mb
                .and_then(|Whole(value)| within(fields, "resources.memory_mb", value, &MEMORY_MB)),
            timeout_seconds: Patch::Keep,
        }
    }
}

impl BuildResourcesBody {
    pub(crate) fn parse(self, fields: &mut Fields) -> ResourcesEdit {
        let Self { cpu, memory_mb, timeout_seconds } = self;
        ResourcesEdit {
            cpu_millis: cpu.and_then(|cpu| millis(fields, "build_resources.cpu", cpu)),
            memory_mb: memory_mb.and_then(|Whole(value)| {
                within(fields, "build_resources.memory_mb", value, &MEMORY_MB)
            }),
            timeout_seconds: timeout_seconds.and_then(|Whole(value)| {
                within(fields, "build_resources.timeout_seconds", value, &TIMEOUT_SECONDS)
            }),
        }
    }
}

impl ResourcesEdit {
    pub(crate) fn apply(self, resources: &mut Resources) {
        self.cpu_millis.apply(&mut resources.cpu_millis);
        self.memory_mb.apply(&mut resources.memory_mb);
    }

    pub(crate) fn apply_to_build(self, resources: &mut BuildResources) {
        self.cpu_millis.apply(&mut resources.cpu_millis);
        self.memory_mb.apply(&mut resources.memory_mb);
        self.timeout_seconds.apply(&mut resources.timeout_seconds);
    }
}

fn millis(fields: &mut Fields, field: &str, cores: f64) -> Option<u32> {
    fields.check(field, cpu_millis(cores))
}

pub(super) fn within(
    fields: &mut Fields,
    field: &str,
    value: u32,
    range: &RangeInclusive<u32>,
) -> Option<u32> {
    if !range.contains(&value) {
        fields.refuse(field, format!("must be between {} and {}", range.start(), range.end()));
        return None;
    }
    Some(value)
}

/// A path inside the repository.
pub(crate) fn repository_path(fields: &mut Fields, field: &str, text: &str) -> Option<String> {
    fields.check(field, check_repository_path(text).map(|()| text.to_owned()))
}

/// What follows the host in an address.
pub(crate) fn health_path(fields: &mut Fields, text: &str) -> Option<String> {
    fields.check("health_path", check_health_path(text).map(|()| text.to_owned()))
}

/// A TCP port.
pub(crate) fn port(fields: &mut Fields, value: u32) -> Option<u16> {
    let port = u16::try_from(value).ok().filter(|port| *port != 0);
    fields.check("port", port.ok_or("must be between 1 and 65535"))
}
