//! What a file can set.

use windlass_domain::{
    BuildResources, CommandLine, Hooks, Name, ProjectSettings, Resources, Services,
};

use crate::{
    fields::{Section, Variables, Visitor},
    kind::{COMMAND, CPU, HEALTH_PATH, MEMORY, NAME, PATH, PORT, REPLICAS, Switch, TIMEOUT},
};

/// What a file sets; nothing is set by default.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Manifest {
    /// What the app is called; only shown.
    pub name: Option<Name>,
    /// How it is built.
    pub build: ManifestBuild,
    /// How it is run.
    pub app: ManifestApp,
    /// What each build may use.
    pub build_resources: BuildResources,
    /// Backing services that the app asks for.
    pub services: ManifestServices,
    /// Commands that are run at certain moments.
    pub hooks: Hooks,
    /// Environment variables of builds and apps, exactly as they are written.
    pub env: Variables,
}

/// How an app is built.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ManifestBuild {
    /// Path of the Dockerfile in the repository.
    pub dockerfile: Option<String>,
    /// The folder in the repository that is built; `.` is its root.
    pub context: Option<String>,
    /// Shell command that builds it.
    pub command: Option<CommandLine>,
    /// Build arguments, exactly as they are written.
    pub args: Variables,
}

/// How an app is run.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ManifestApp {
    /// Shell command that starts it.
    pub command: Option<CommandLine>,
    /// The port that it listens on; never 0.
    pub port: Option<u16>,
    /// Path that answers 2xx or 3xx once it is healthy.
    pub health_path: Option<String>,
    /// What each of its replicas may use.
    pub resources: Resources,
    /// How many of it run, from 1 to 100.
    pub replicas: Option<u8>,
}

/// Backing services that an app asks for, or does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ManifestServices {
    /// A PostgreSQL database.
    pub postgres: Option<bool>,
    /// A Redis server.
    pub redis: Option<bool>,
    /// An S3 bucket.
    pub s3: Option<bool>,
}

impl Manifest {
    /// The project's settings, with what the file sets in their place.
    #[must_use]
    pub fn over(&self, settings: &ProjectSettings) -> ProjectSettings {
        fn either<T: Clone>(file: Option<&T>, project: Option<&T>) -> Option<T> {
            file.or(project).cloned()
        }
        let ProjectSettings {
            dockerfile,
            build_context,
            services: Services { postgres, redis, s3 },
            build_command,
            start_command,
            health_path,
            port,
            resources,
            build_resources,
            previews,
            hooks: Hooks { on_new, on_deploy },
        } = settings;
        let Self { name: _, build, app, build_resources: of_build, services, hooks, env: _ } = self;
        ProjectSettings {
            dockerfile: either(build.dockerfile.as_ref(), dockerfile.as_ref()),
            build_context: either(build.context.as_ref(), build_context.as_ref()),
            services: Services {
                postgres: services.postgres.unwrap_or(*postgres),
                redis: services.redis.unwrap_or(*redis),
                s3: services.s3.unwrap_or(*s3),
            },
            build_command: either(build.command.as_ref(), build_command.as_ref()),
            start_command: either(app.command.as_ref(), start_command.as_ref()),
            health_path: either(app.health_path.as_ref(), health_path.as_ref()),
            port: app.port.or(*port),
            resources: Resources {
                cpu_millis: app.resources.cpu_millis.or(resources.cpu_millis),
                memory_mb: app.resources.memory_mb.or(resources.memory_mb),
            },
            build_resources: BuildResources {
                cpu_millis: of_build.cpu_millis.or(build_resources.cpu_millis),
                memory_mb: of_build.memory_mb.or(build_resources.memory_mb),
                timeout_seconds: of_build.timeout_seconds.or(build_resources.timeout_seconds),
            },
            previews: previews.clone(),
            hooks: Hooks {
                on_new: either(hooks.on_new.as_ref(), on_new.as_ref()),
                on_deploy: either(hooks.on_deploy.as_ref(), on_deploy.as_ref()),
            },
        }
    }
}

impl Section for Manifest {
    fn fields(&mut self, visitor: &mut impl Visitor) {
        let Self { name, build, app, build_resources, services, hooks, env } = self;
        visitor.value("name", "What the app is called. Only shown.", &NAME, name);
        visitor.section("build", "How the app is built.", build);
        visitor.section("app", "How the app is run.", app);
        visitor.section("buildResources", "What each build may use.", build_resources);
        visitor.section("services", "Backing services that the app asks for.", services);
        visitor.section("hooks", "Commands that are run at certain moments.", hooks);
        visitor.variables(
            "env",
            "Environment variables of builds and apps. Everybody who can read the repository can \
             read them.",
            env,
        );
    }
}

impl Section for ManifestBuild {
    fn fields(&mut self, visitor: &mut impl Visitor) {
        let Self { dockerfile, context, command, args } = self;
        visitor.value("dockerfile", "Path of the Dockerfile in the repository.", &PATH, dockerfile);
        visitor.value(
            "context",
            "The folder in the repository that is built; `.` is its root.",
            &PATH,
            context,
        );
        visitor.value("command", "Shell command that builds the app.", &COMMAND, command);
        visitor.variables("args", "Build arguments of the Dockerfile.", args);
    }
}

impl Section for ManifestApp {
    fn fields(&mut self, visitor: &mut impl Visitor) {
        let Self { command, port, health_path, resources, replicas } = self;
        let Resources { cpu_millis, memory_mb } = resources;
        visitor.value("command", "Shell command that starts the app.", &COMMAND, command);
        visitor.value(
            "port",
            "The port that the app listens on, where it ignores `PORT`.",
            &PORT,
            port,
        );
        visitor.value(
            "health_path",
            "Path that answers 2xx or 3xx once the app is healthy.",
            &HEALTH_PATH,
            health_path,
        );
        visitor.value("cpu", CPU_IS, &CPU, cpu_millis);
        visitor.value("memory", MEMORY_IS, &MEMORY, memory_mb);
        visitor.value("replicas", "How many of the app run.", &REPLICAS, replicas);
    }
}

impl Section for BuildResources {
    fn fields(&mut self, visitor: &mut impl Visitor) {
        let Self { cpu_millis, memory_mb, timeout_seconds } = self;
        visitor.value("cpu", CPU_IS, &CPU, cpu_millis);
        visitor.value("memory", MEMORY_IS, &MEMORY, memory_mb);
        visitor.value(
            "timeout",
            "How long a build may take: seconds, or text such as `15m`.",
            &TIMEOUT,
            timeout_seconds,
        );
    }
}

impl Section for ManifestServices {
    fn fields(&mut self, visitor: &mut impl Visitor) {
        let Self { postgres, redis, s3 } = self;
        visitor.value("postgres", "A PostgreSQL database.", &Switch, postgres);
        visitor.value("redis", "A Redis server.", &Switch, redis);
        visitor.value("s3", "An S3 bucket.", &Switch, s3);
    }
}

impl Section for Hooks {
    fn fields(&mut self, visitor: &mut impl Visitor) {
        let Self { on_new, on_deploy } = self;
        visitor.value("on_new", "Run once, in a new environment.", &COMMAND, on_new);
        visitor.value("on_deploy", "Run with each deployment.", &COMMAND, on_deploy);
    }
}

const CPU_IS: &str = "CPUs, or text such as `500m`: thousandths of one.";
const MEMORY_IS: &str =
    "MiB, or text such as `512Mi` or `1Gi`. `MB` is `Mi`, 1048576 bytes, and `GB` is `Gi`.";
