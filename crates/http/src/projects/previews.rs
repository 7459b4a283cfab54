//! Which branches get a preview: the shape of it, and its checks.

use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use windlass_domain::{BranchPattern, MAX_BRANCH_PATTERNS, Previews};

use super::settings::within;
use crate::{
    extract::{Patch, Whole},
    fields::Fields,
};

/// Previews of one project at once.
const LIMIT: RangeInclusive<u32> = 0..=1_000;
/// Seconds that a preview lasts: up to a year.
const TTL_SECONDS: RangeInclusive<u32> = 1..=31_536_000;
/// Seconds without a request: up to a month.
const IDLE_PAUSE_SECONDS: RangeInclusive<u32> = 1..=2_678_400;

/// Which branches get an environment of their own when they are pushed, and for how long. Pushes
/// arrive by webhook.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Previews)]
pub(crate) struct PreviewsView {
    /// Whether any does.
    enabled: bool,
    /// Which ones: `*` stands for any part of a name without `/`, `**` for any parts; the last
    /// pattern that fits decides, and `!` before it excludes. Without patterns, all do.
    #[schema(example = json!(["feature/**", "!feature/wip-*"]))]
    branches: Vec<String>,
    /// How many there may be at once.
    #[schema(example = 20)]
    limit: u32,
    /// How many seconds a preview lasts after the last push or deployment; `null` is for as long as
    /// its branch.
    #[schema(example = 604_800)]
    ttl_seconds: Option<u32>,
    /// After how many seconds without a request it is paused, until the next one wakes it; `null`
    /// is never.
    #[schema(example = 3600)]
    idle_pause_seconds: Option<u32>,
}

/// Which branches get a preview; what is absent stays, `null` is the default.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PreviewsPatch)]
pub(crate) struct PreviewsBody {
    /// Whether any does; `true` by default.
    #[serde(default)]
    #[schema(value_type = Option<bool>)]
    enabled: Patch<bool>,
    /// Which ones, in place of all that were named before: `*` stands for any part of a name
    /// without `/`, `**` for any parts; the last pattern that fits decides, and `!` before it
    /// excludes. Without patterns, all do.
    #[serde(default)]
    #[schema(value_type = Option<Vec<String>>, max_items = 50, example = json!(["feature/**"]))]
    branches: Patch<Vec<String>>,
    /// How many there may be at once; 20 by default.
    #[serde(default)]
    #[schema(value_type = Option<u32>, minimum = 0, maximum = 1_000, example = 20)]
    limit: Patch<Whole>,
    /// How many seconds a preview lasts after the last push or deployment.
    #[serde(default)]
    #[schema(value_type = Option<u32>, minimum = 1, maximum = 31_536_000, example = 604_800)]
    ttl_seconds: Patch<Whole>,
    /// After how many seconds without a request it is paused, until the next one wakes it.
    #[serde(default)]
    #[schema(value_type = Option<u32>, minimum = 1, maximum = 2_678_400, example = 3600)]
    idle_pause_seconds: Patch<Whole>,
}

/// [`PreviewsBody`], checked.
#[derive(Debug)]
pub(crate) struct PreviewsEdit {
    enabled: Patch<bool>,
    branches: Patch<Vec<BranchPattern>>,
    limit: Patch<u32>,
    ttl_seconds: Patch<u32>,
    idle_pause_seconds: Patch<u32>,
}

impl PreviewsBody {
    pub(crate) fn parse(self, fields: &mut Fields) -> PreviewsEdit {
        let Self { enabled, branches, limit, ttl_seconds, idle_pause_seconds } = self;
        PreviewsEdit {
            enabled,
            branches: branches.and_then(|texts| patterns(fields, &texts)),
            limit: limit.and_then(|Whole(value)| within(fields, "previews.limit", value, &LIMIT)),
            ttl_seconds: ttl_seconds.and_then(|Whole(value)| {
                within(fields, "previews.ttl_seconds", value, &TTL_SECONDS)
            }),
            idle_pause_seconds: idle_pause_seconds.and_then(|Whole(value)| {
                within(fields, "previews.idle_pause_seconds", value, &IDLE_PAUSE_SECONDS)
            }),
        }
    }
}

fn patterns(fields: &mut Fields, texts: &[String]) -> Option<Vec<BranchPattern>> {
    if MAX_BRANCH_PATTERNS < texts.len() {
        let message = format!("must not have more than {MAX_BRANCH_PATTERNS} items");
        fields.refuse("previews.branches", message);
        return None;
    }
    Some(fields.many("previews.branches", texts))
}

impl PreviewsEdit {
    pub(crate) fn apply(self, previews: &mut Previews) {
        let Self { enabled, branches, limit, ttl_seconds, idle_pause_seconds } = self;
        let defaults = Previews::default();
        enabled.apply_or(&mut previews.enabled, defaults.enabled);
        branches.apply_or(&mut previews.branches, defaults.branches);
        limit.apply_or(&mut previews.limit, defaults.limit);
        ttl_seconds.apply(&mut previews.ttl_seconds);
        idle_pause_seconds.apply(&mut previews.idle_pause_seconds);
    }
}

impl From<Previews> for PreviewsView {
    fn from(previews: Previews) -> Self {
        let Previews { enabled, branches, limit, ttl_seconds, idle_pause_seconds } = previews;
        let branches = branches.into_iter().map(String::from).collect();
        Self { enabled, branches, limit, ttl_seconds, idle_pause_seconds }
    }
}
