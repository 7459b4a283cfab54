//! What a client says about a project: to create one, or to change one.

use serde::Deserialize;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{RefOr, Schema, Type, schema::SchemaType},
};
use windlass_control::CreateProject;
use windlass_domain::{
    BranchName, BranchNameError, CommandLine, Name, ProjectChange, ProjectSettings,
};

use super::{
    hooks::{HooksBody, HooksEdit},
    previews::{PreviewsBody, PreviewsEdit},
    settings::{
        BuildResourcesBody, ResourcesBody, ResourcesEdit, ServicesBody, health_path, port,
        repository_path,
    },
    source::SourceEdit,
};
use crate::{
    extract::{Object, Patch, Whole},
    fields::Fields,
    problem::Problem,
};

/// The branch where nobody says otherwise.
const DEFAULT_BRANCH: &str = "main";

/// A JSON merge patch (RFC 7396) of a project: what is absent stays, `null` goes back to the
/// default.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ProjectPatch)]
pub(crate) struct ProjectBody {
    #[serde(default)]
    #[schema(value_type = String, min_length = 1, max_length = 100, example = "my-app")]
    name: Patch<String>,
    /// Short form of `git_url` for a repository on GitHub. Where both are given, they must agree.
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 201, pattern = r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}/[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}$", example = "octocat/my-app")]
    github_repo: Patch<String>,
    /// Any git remote: `https`, `http`, `ssh` or `git`, without a password in it.
    #[serde(default)]
    #[schema(value_type = String, min_length = 1, max_length = 1000)]
    git_url: Patch<String>,
    /// The branch that is deployed when none is named; `main` by default.
    #[serde(default)]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 200, example = "main")]
    default_branch: Patch<String>,
    /// Path of the Dockerfile, where one is to be used.
    #[serde(default)]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 255, example = "Dockerfile")]
    dockerfile: Patch<String>,
    /// The folder in the repository that is built.
    #[serde(default)]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 255, example = ".")]
    build_context: Patch<String>,
    #[serde(default)]
    #[schema(value_type = Option<ServicesBody>)]
    services: Patch<Object<ServicesBody>>,
    /// Shell command that builds it; recognised from the files by default.
    #[serde(default)]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 4000)]
    build_command: Patch<String>,
    /// Shell command that starts it; recognised from the files by default.
    #[serde(default)]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 4000)]
    start_command: Patch<String>,
    /// Path that answers 2xx or 3xx once the app is healthy; a TCP connection is enough by
    /// default.
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 1000, pattern = "^/", example = "/healthz")]
    health_path: Patch<String>,
    /// The port that the app listens on, where it ignores `PORT`.
    #[serde(default)]
    #[schema(value_type = Option<u32>, minimum = 1, maximum = 65535)]
    port: Patch<Whole>,
    #[serde(default)]
    #[schema(value_type = Option<ResourcesBody>)]
    resources: Patch<Object<ResourcesBody>>,
    #[serde(default)]
    #[schema(value_type = Option<BuildResourcesBody>)]
    build_resources: Patch<Object<BuildResourcesBody>>,
    #[serde(default)]
    #[schema(value_type = Option<PreviewsBody>)]
    previews: Patch<Object<PreviewsBody>>,
    #[serde(default)]
    #[schema(value_type = Option<HooksBody>)]
    hooks: Patch<Object<HooksBody>>,
}

/// The same with a name, and with one of `git_url` and `github_repo`.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
pub(crate) struct NewProjectBody(ProjectBody);

/// What a client says about a project, checked.
#[derive(Debug)]
pub(crate) struct ProjectEdit {
    name: Patch<Name>,
    source: SourceEdit,
    default_branch: Patch<BranchName>,
    settings: SettingsEdit,
}

#[derive(Debug)]
struct SettingsEdit {
    dockerfile: Patch<String>,
    build_context: Patch<String>,
    services: Patch<ServicesBody>,
    build_command: Patch<CommandLine>,
    start_command: Patch<CommandLine>,
    health_path: Patch<String>,
    port: Patch<u16>,
    resources: Patch<ResourcesEdit>,
    build_resources: Patch<ResourcesEdit>,
    previews: Patch<PreviewsEdit>,
    hooks: Patch<HooksEdit>,
}

impl ProjectBody {
    /// Checks a change.
    pub(crate) fn parse(self) -> Result<ProjectEdit, Problem> {
        let mut fields = Fields::default();
        let edit = self.read(&mut fields);
        fields.finish(edit)
    }

    fn read(self, fields: &mut Fields) -> Option<ProjectEdit> {
        if matches!(self.name, Patch::Clear) {
            fields.refuse("name", "cannot be removed");
        }
        let name = self.name.and_then(|text| fields.parse("name", &text));
        let source = SourceEdit::parse(fields, self.github_repo, self.git_url);
        let default_branch = match self.default_branch {
            // Without a branch of its own, a project has the default one.
            Patch::Clear => Patch::Set(DEFAULT_BRANCH.to_owned()),
            other @ (Patch::Keep | Patch::Set(_)) => other,
        };
        let default_branch = default_branch.and_then(|text| fields.parse("default_branch", &text));
        let settings = SettingsEdit {
            dockerfile: self
                .dockerfile
                .and_then(|text| repository_path(fields, "dockerfile", &text)),
            build_context: self
                .build_context
                .and_then(|text| repository_path(fields, "build_context", &text)),
            services: self.services.and_then(|Object(body)| Some(body)),
            build_command: self.build_command.and_then(|text| fields.parse("build_command", &text)),
            start_command: self.start_command.and_then(|text| fields.parse("start_command", &text)),
            health_path: self.health_path.and_then(|text| health_path(fields, &text)),
            port: self.port.and_then(|Whole(value)| port(fields, value)),
            resources: self.resources.and_then(|Object(body)| Some(body.parse(fields))),
            build_resources: self.build_resources.and_then(|Object(body)| Some(body.parse(fields))),
            previews: self.previews.and_then(|Object(body)| Some(body.parse(fields))),
            hooks: self.hooks.and_then(|Object(body)| Some(body.parse(fields))),
        };
        Some(ProjectEdit { name, source: source?, default_branch, settings })
    }
}

impl NewProjectBody {
    /// Checks a new project.
    pub(crate) fn parse(self) -> Result<CreateProject, Problem> {
        let mut fields = Fields::default();
        let mut body = self.0;
        // Where there is nothing yet, `null` says the same as nothing.
        for field in [&mut body.name, &mut body.git_url, &mut body.github_repo] {
            if matches!(field, Patch::Clear) {
                *field = Patch::Keep;
            }
        }
        let names = matches!(body.name, Patch::Keep);
        let sources = matches!((&body.git_url, &body.github_repo), (Patch::Keep, Patch::Keep));
        if names {
            fields.refuse("name", "is required");
        }
        if sources {
            fields.refuse("git_url", "is required, unless `github_repo` is given");
        }
        let new = body.read(&mut fields).and_then(|edit| edit.create(&mut fields));
        fields.finish(new)
    }
}

impl ProjectEdit {
    fn create(self, fields: &mut Fields) -> Option<CreateProject> {
        let mut settings = ProjectSettings::default();
        self.settings.apply(&mut settings);
        let default_branch = match self.default_branch {
            Patch::Set(branch) => branch,
            Patch::Keep | Patch::Clear => {
                let main: Result<_, BranchNameError> = DEFAULT_BRANCH.parse();
                fields.check("default_branch", main)?
            }
        };
        match (self.name, self.source) {
            (Patch::Set(name), SourceEdit::Set(source)) => Some(CreateProject {
                name,
                git_url: source.git_url,
                github_repo: source.github_repo,
                default_branch,
                settings,
            }),
            _ => None,
        }
    }

    /// Changes a project.
    pub(crate) fn apply(self, mut project: ProjectChange) -> ProjectChange {
        if let Patch::Set(name) = self.name {
            project.name = name;
        }
        match self.source {
            SourceEdit::Keep => {}
            SourceEdit::ForgetGithub => project.github_repo = None,
            SourceEdit::Set(source) => {
                project.git_url = source.git_url;
                project.github_repo = source.github_repo;
            }
        }
        if let Patch::Set(branch) = self.default_branch {
            project.default_branch = branch;
        }
        self.settings.apply(&mut project.settings);
        project
    }
}

impl SettingsEdit {
    fn apply(self, settings: &mut ProjectSettings) {
        let Self {
            dockerfile,
            build_context,
            services,
            build_command,
            start_command,
            health_path,
            port,
            resources,
            build_resources,
            previews,
            hooks,
        } = self;
        dockerfile.apply(&mut settings.dockerfile);
        build_context.apply(&mut settings.build_context);
        build_command.apply(&mut settings.build_command);
        start_command.apply(&mut settings.start_command);
        health_path.apply(&mut settings.health_path);
        port.apply(&mut settings.port);
        merge(services, &mut settings.services, ServicesBody::apply);
        merge(resources, &mut settings.resources, ResourcesEdit::apply);
        merge(build_resources, &mut settings.build_resources, ResourcesEdit::apply_to_build);
        merge(previews, &mut settings.previews, PreviewsEdit::apply);
        merge(hooks, &mut settings.hooks, HooksEdit::apply);
    }
}

/// An object inside a merge patch: `null` resets it, an object goes on into its members.
fn merge<P, T: Default>(patch: Patch<P>, target: &mut T, apply: impl FnOnce(P, &mut T)) {
    match patch {
        Patch::Keep => {}
        Patch::Clear => *target = T::default(),
        Patch::Set(patch) => apply(patch, target),
    }
}

impl ToSchema for NewProjectBody {
    fn name() -> std::borrow::Cow<'static, str> {
        "NewProject".into()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        ProjectBody::schemas(schemas);
    }
}

impl PartialSchema for NewProjectBody {
    fn schema() -> RefOr<Schema> {
        let mut schema = ProjectBody::schema();
        if let RefOr::T(Schema::Object(object)) = &mut schema {
            object.required.push("name".to_owned());
            // Where there is nothing yet, `null` says the same as nothing.
            if let Some(RefOr::T(Schema::Object(url))) = object.properties.get_mut("git_url") {
                url.schema_type = SchemaType::from_iter([Type::String, Type::Null]);
            }
            object.description = Some(
                "A project to create: with a name, and with one of `git_url` and `github_repo`."
                    .to_owned(),
            );
        }
        schema
    }
}
