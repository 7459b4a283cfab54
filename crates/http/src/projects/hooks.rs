//! Commands that are run at certain moments: their shape, and its checks.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use windlass_domain::{CommandLine, Hooks};

use crate::{extract::Patch, fields::Fields};

/// Shell commands that are run in what was built, with the app's variables, before its app is
/// started. Where one fails, the deployment fails, and what answered goes on answering.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Hooks)]
pub(crate) struct HooksView {
    /// Run once in a new environment, and once again after it was reset.
    #[schema(example = "npm run seed")]
    on_new: Option<String>,
    /// Run with each deployment, after `on_new`.
    #[schema(example = "npm run migrate")]
    on_deploy: Option<String>,
}

/// Shell commands that are run in what was built; what is absent stays, `null` is none.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = HooksPatch)]
pub(crate) struct HooksBody {
    /// Run once in a new environment, and once again after it was reset.
    #[serde(default)]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 4000, example = "npm run seed")]
    on_new: Patch<String>,
    /// Run with each deployment, after `on_new`.
    #[serde(default)]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 4000, example = "npm run migrate")]
    on_deploy: Patch<String>,
}

/// [`HooksBody`], checked.
#[derive(Debug)]
pub(crate) struct HooksEdit {
    on_new: Patch<CommandLine>,
    on_deploy: Patch<CommandLine>,
}

impl HooksBody {
    pub(crate) fn parse(self, fields: &mut Fields) -> HooksEdit {
        let Self { on_new, on_deploy } = self;
        HooksEdit {
            on_new: on_new.and_then(|text| fields.parse("hooks.on_new", &text)),
            on_deploy: on_deploy.and_then(|text| fields.parse("hooks.on_deploy", &text)),
        }
    }
}

impl HooksEdit {
    pub(crate) fn apply(self, hooks: &mut Hooks) {
        let Self { on_new, on_deploy } = self;
        on_new.apply(&mut hooks.on_new);
        on_deploy.apply(&mut hooks.on_deploy);
    }
}

impl From<Hooks> for HooksView {
    fn from(hooks: Hooks) -> Self {
        let Hooks { on_new, on_deploy } = hooks;
        Self { on_new: on_new.map(String::from), on_deploy: on_deploy.map(String::from) }
    }
}
