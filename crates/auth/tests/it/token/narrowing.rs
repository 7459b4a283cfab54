//! Narrowing only ever narrows.

use biscuit_auth::{BlockBuilder, UnverifiedBiscuit};
use chrono::TimeDelta;
use proptest::{collection::vec, prelude::*, sample::select};
use windlass_auth::{
    NarrowError, Narrowing, NewToken, Permission, Principal, Target, attenuate, seal,
};
use windlass_domain::{Clock as _, DeploymentId, EnvironmentId, ProjectId};

use super::support::{TokenWorld, everything, ip, may};

/// Permissions that are worth telling apart.
const ASKED: [Permission; 5] = [
    Permission::ProjectsRead,
    Permission::ProjectsWrite,
    Permission::LogsRead,
    Permission::DeploymentsWrite,
    Permission::TokensRead,
];

/// What somebody without good intentions might append by hand.
const HOSTILE: [&str; 8] = [
    "right({\"projects:write\", \"tokens:read\"});",
    "operation(\"read\"); operation(\"write\");",
    "permission(\"projects:read\"); collection(\"projects\");",
    "time(2020-01-01T00:00:00Z);",
    "network(\"192.0.2.0/24\"); ip(\"192.0.2.1\");",
    "trusting previous; operation(\"read\") <- operation($o);",
    "permission(\"projects:read\") <- permission($p);",
    "check if true; check if operation(\"read\") or operation(\"write\");",
];

/// Two of each kind of thing.
struct Things {
    projects: [ProjectId; 2],
    environments: [EnvironmentId; 2],
    deployments: [DeploymentId; 2],
}

/// What to append, by number: which of two things, whether at all.
#[derive(Debug, Clone)]
enum Step {
    Narrow {
        project: Option<usize>,
        environment: Option<usize>,
        deployment: Option<usize>,
        permissions: Option<Vec<Permission>>,
        is_read_only: bool,
        is_addressed: bool,
        seconds: Option<i64>,
    },
    Append(&'static str),
}

fn step() -> impl Strategy<Value = Step> {
    let which = || proptest::option::weighted(0.3, 0..2_usize);
    let narrow = (
        which(),
        which(),
        which(),
        proptest::option::weighted(0.3, vec(select(&ASKED), 0..4)),
        proptest::bool::weighted(0.2),
        proptest::bool::weighted(0.2),
        proptest::option::weighted(0.2, 1..20_i64),
    )
        .prop_map(
            |(
                project,
                environment,
                deployment,
                permissions,
                is_read_only,
                is_addressed,
                seconds,
            )| {
                Step::Narrow {
                    project,
                    environment,
                    deployment,
                    permissions,
                    is_read_only,
                    is_addressed,
                    seconds,
                }
            },
        );
    prop_oneof![3 => narrow, 2 => select(&HOSTILE).prop_map(Step::Append)]
}

impl Step {
    /// The token with one more block, or the same where there is nothing to append.
    fn take(&self, world: &TokenWorld, things: &Things, token: &str) -> String {
        match self {
            Self::Append(code) => {
                let block = BlockBuilder::new().code(code).unwrap();
                let token = UnverifiedBiscuit::from_base64(token).unwrap();
                token.append(block).unwrap().to_base64().unwrap()
            }
            Self::Narrow {
                project,
                environment,
                deployment,
                permissions,
                is_read_only,
                is_addressed,
                seconds,
            } => {
                let now = world.world.clock.now();
                let narrowing = Narrowing {
                    projects: project.map(|which| vec![things.projects[which]]),
                    environments: environment.map(|which| vec![things.environments[which]]),
                    deployments: deployment.map(|which| vec![things.deployments[which]]),
                    permissions: permissions.clone(),
                    is_read_only: *is_read_only,
                    allowed_addresses: is_addressed.then(|| vec!["192.0.2.0/24".parse().unwrap()]),
                    expires_at: seconds.map(|seconds| now + TimeDelta::seconds(seconds)),
                    ..Narrowing::default()
                };
                match attenuate(token, &narrowing, &world.world.entropy) {
                    Ok(token) => token.expose().to_owned(),
                    Err(NarrowError::Nothing) => token.to_owned(),
                    Err(err) => panic!("{err}"),
                }
            }
        }
    }
}

/// All that can be asked in this world.
fn targets(world: &TokenWorld, things: &Things) -> Vec<Target> {
    let organization = world.world.organization;
    let mut targets = vec![Target::organization(organization), Target::projects(organization)];
    for project in things.projects {
        let project = Target::project(organization, project);
        let environment = project.in_environment(things.environments[0]);
        targets.extend([project, environment, environment.in_deployment(things.deployments[0])]);
    }
    targets
}

fn answers(holder: Option<&Principal>, targets: &[Target]) -> Vec<bool> {
    let questions = targets.iter().flat_map(|target| ASKED.map(|asked| (asked, *target)));
    questions
        .map(|(asked, target)| holder.is_some_and(|holder| may(holder, asked, target)))
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_child_may_nothing_that_its_parent_may_not(
        is_read_only: bool,
        first in step(),
        more in vec(step(), 1..4),
    ) {
        let world = TokenWorld::new();
        let fx = world.fx();
        let things = Things {
            projects: [(); 2].map(|()| ProjectId::generate(fx)),
            environments: [(); 2].map(|()| EnvironmentId::generate(fx)),
            deployments: [(); 2].map(|()| DeploymentId::generate(fx)),
        };
        let verifier = world.verifier();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let verify = |text: &str, address: &str| {
            runtime.block_on(verifier.verify(text, Some(ip(address)))).ok()
        };
        let targets = targets(&world, &things);

        let root = world.stored(NewToken { is_read_only, ..everything() });
        let mut parent = first.take(&world, &things, &root.text);
        for step in more {
            let child = step.take(&world, &things, &parent);
            for address in ["192.0.2.7", "198.51.100.7"] {
                let allowed_parent = answers(verify(&parent, address).as_deref(), &targets);
                let allowed_child = answers(verify(&child, address).as_deref(), &targets);
                for (parent_may, child_may) in allowed_parent.iter().zip(&allowed_child) {
                    prop_assert!(*parent_may || !child_may, "{step:?} widened");
                }
            }
            world.world.clock.advance(TimeDelta::seconds(3));
            parent = child;
        }
    }
}

#[test]
fn a_narrowing_must_narrow_something() {
    let world = TokenWorld::new();
    let token = world.stored(everything());
    let refused = attenuate(&token.text, &Narrowing::default(), &world.world.entropy);
    assert!(matches!(refused, Err(NarrowError::Nothing)));
}

#[test]
fn a_sealed_token_cannot_be_narrowed() {
    let world = TokenWorld::new();
    let sealed = seal(&world.stored(everything()).text).unwrap();
    let narrowing = Narrowing { is_read_only: true, ..Narrowing::default() };
    let refused = attenuate(sealed.expose(), &narrowing, &world.world.entropy);
    assert!(matches!(refused, Err(NarrowError::Sealed)), "{refused:?}");
    assert!(matches!(seal(sealed.expose()), Err(NarrowError::Sealed)));
}

#[test]
fn what_is_no_token_cannot_be_narrowed() {
    let world = TokenWorld::new();
    let narrowing = Narrowing { is_read_only: true, ..Narrowing::default() };
    let refused = attenuate("wls_key", &narrowing, &world.world.entropy);
    assert!(matches!(refused, Err(NarrowError::Malformed(_))));
}
