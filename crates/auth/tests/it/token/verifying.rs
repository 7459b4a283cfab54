//! From a presented token to a decision.

use std::time::Duration;

use chrono::TimeDelta;
use windlass_auth::{
    Credential, CredentialKind, Denied, Narrowing, NewToken, Permission, PermissionSet, Role,
    RootKeys, Target, TokenError, VerifierOptions, authorize, check_admission, mint_token, seal,
};
use windlass_domain::{Clock as _, EnvironmentId, Id, OrganizationId};

use super::support::{TokenWorld, everything, ip, may};

#[tokio::test]
async fn a_token_opens_what_it_grants_and_nothing_else() {
    let world = TokenWorld::new();
    let (_, project) = world.project();
    let permissions = Some(vec![Permission::ProjectsRead, Permission::LogsRead]);
    let token = world.stored(NewToken { permissions, ..everything() });

    let holder = world.verifier().verify(&token.text, None).await.unwrap();
    for permission in Permission::ALL {
        let granted = [Permission::ProjectsRead, Permission::LogsRead].contains(&permission);
        assert_eq!(may(&holder, permission, project), granted, "{permission}");
    }
    let elsewhere = Target::project(OrganizationId::generate(world.fx()), world.world.project());
    assert_eq!(authorize(&holder, Permission::ProjectsRead, elsewhere), Err(Denied::Hidden));
    assert_eq!(holder.credential.kind(), CredentialKind::Token);
    assert_eq!(holder.label(), "token \"ci\"");
}

#[tokio::test]
async fn padding_makes_no_difference() {
    let world = TokenWorld::new();
    let verifier = world.verifier();
    for label in ["a", "ab", "abc"] {
        // The text's length differs with that of the user's first block.
        let permissions = Some(Permission::ALL.into_iter().take(label.len()).collect());
        let token = world.stored(NewToken { permissions, ..everything() });
        let padding = "=".repeat((4 - token.text.len() % 4) % 4);
        assert!(verifier.verify(&token.text, None).await.is_ok());
        assert!(verifier.verify(&format!("{}{padding}", token.text), None).await.is_ok());
    }
}

#[tokio::test]
async fn a_token_has_no_more_than_its_creators_role_allows_now() {
    let world = TokenWorld::new();
    let (_, project) = world.project();
    let token = world.stored(everything());
    let verifier = world.verifier();
    let holder = verifier.verify(&token.text, None).await.unwrap();
    assert!(may(&holder, Permission::ProjectsWrite, project));

    world.directory.change(token.id, |entry| entry.creator_role = Some(Role::Viewer));
    verifier.forget(token.id);
    let holder = verifier.verify(&token.text, None).await.unwrap();
    assert!(!may(&holder, Permission::ProjectsWrite, project));
    assert!(may(&holder, Permission::ProjectsRead, project));

    world.directory.change(token.id, |entry| entry.creator_role = None);
    verifier.forget(token.id);
    assert!(matches!(verifier.verify(&token.text, None).await, Err(TokenError::Invalid)));
}

#[tokio::test]
async fn a_token_that_is_bound_to_projects_reads_the_list_of_them() {
    let world = TokenWorld::new();
    let ((ours, target), (theirs, other)) = (world.project(), world.project());
    let everywhere = world.stored(everything());
    let bound = world.stored(NewToken { project_ids: Some(vec![ours]), ..everything() });
    let narrowing = Narrowing { projects: Some(vec![ours]), ..Narrowing::default() };
    let narrowed = world.narrow(&everywhere.text, &narrowing);
    let list = Target::projects(world.world.organization);

    for text in [bound.text, narrowed] {
        let holder = world.verifier().verify(&text, None).await.unwrap();
        assert!(holder.reaches(ours) && !holder.reaches(theirs));
        assert!(may(&holder, Permission::ProjectsWrite, target));
        assert!(may(&holder, Permission::ProjectsRead, list));
        assert!(!may(&holder, Permission::ProjectsWrite, list), "it adds none");
        assert_eq!(authorize(&holder, Permission::ProjectsRead, other), Err(Denied::Hidden));
    }
}

#[tokio::test]
async fn blocks_leave_only_the_projects_that_all_of_them_leave() {
    let world = TokenWorld::new();
    let (a, b, c) = (world.world.project(), world.world.project(), world.world.project());
    let token = world.stored(NewToken { project_ids: Some(vec![a, b]), ..everything() });
    let narrowing = Narrowing { projects: Some(vec![b, c]), ..Narrowing::default() };
    let narrowed = world.narrow(&token.text, &narrowing);

    let holder = world.verifier().verify(&narrowed, None).await.unwrap();
    assert_eq!([a, b, c].map(|project| holder.reaches(project)), [false, true, false]);
}

#[tokio::test]
async fn a_token_works_to_its_last_second_and_is_unknown_from_then_on() {
    let world = TokenWorld::new();
    let expires_at = Some(world.world.clock.now() + TimeDelta::seconds(60));
    let token = world.stored(NewToken { expires_at, ..everything() });
    let verifier = world.verifier();
    let (_, project) = world.project();

    world.world.clock.advance(TimeDelta::milliseconds(59_999));
    let holder = verifier.verify(&token.text, None).await.unwrap();
    assert!(may(&holder, Permission::ProjectsRead, project));
    assert_eq!(holder.credential.expires_at(), expires_at);
    world.world.clock.advance(TimeDelta::milliseconds(1));
    assert!(matches!(verifier.verify(&token.text, None).await, Err(TokenError::Invalid)));
}

#[tokio::test]
async fn what_the_holder_has_shortened_ends_earlier() {
    let world = TokenWorld::new();
    let token = world.stored(everything());
    let expires_at = Some(world.world.clock.now() + TimeDelta::seconds(60));
    let short = world.narrow(&token.text, &Narrowing { expires_at, ..Narrowing::default() });
    let verifier = world.verifier();

    let holder = verifier.verify(&short, None).await.unwrap();
    assert_eq!(holder.credential.expires_at(), expires_at);
    world.world.clock.advance(TimeDelta::seconds(60));
    assert!(matches!(verifier.verify(&short, None).await, Err(TokenError::Invalid)));
    assert!(verifier.verify(&token.text, None).await.is_ok(), "the longer one goes on");
}

#[tokio::test]
async fn an_answer_lasts_no_longer_than_its_second() {
    let world = TokenWorld::new();
    let (_, project) = world.project();
    // No usual expiry, so that nobody but the check itself knows of it.
    let until = (world.world.clock.now() + TimeDelta::seconds(2)).to_rfc3339();
    let code = format!(
        "right({{\"projects:read\"}}); check if time($now), {until} > $now, operation(\"read\");"
    );
    let text = super::support::base64(&world.signed(&code));
    let verifier = world.verifier();

    for (millis, expected) in [(0, true), (999, true), (1, true), (999, true), (1, false)] {
        world.world.clock.advance(TimeDelta::milliseconds(millis));
        let holder = verifier.verify(&text, None).await.unwrap();
        assert_eq!(may(&holder, Permission::ProjectsRead, project), expected);
    }
}

#[tokio::test]
async fn a_token_is_bound_to_the_networks_that_it_names() {
    let world = TokenWorld::new();
    let (_, project) = world.project();
    let networks = ["192.0.2.0/24", "2001:db8::/32", "198.51.100.7"];
    let allowed_addresses = Some(networks.map(|network| network.parse().unwrap()).to_vec());
    let bound =
        world.stored(NewToken { allowed_addresses: allowed_addresses.clone(), ..everything() });
    let free = world.stored(everything());
    let narrowing = Narrowing { allowed_addresses, ..Narrowing::default() };
    let narrowed = world.narrow(&free.text, &narrowing);

    for text in [bound.text, narrowed] {
        let verifier = world.verifier();
        for (address, expected) in [
            ("192.0.2.200", true),
            ("192.0.3.1", false),
            ("198.51.100.7", true),
            ("198.51.100.8", false),
            ("2001:db8:1::1", true),
            ("2001:db9::1", false),
            ("::ffff:192.0.2.1", true),
        ] {
            match verifier.verify(&text, Some(ip(address))).await {
                Ok(holder) => {
                    assert!(expected && may(&holder, Permission::ProjectsRead, project));
                }
                Err(TokenError::WrongAddress(_)) => assert!(!expected, "{address}"),
                Err(err) => panic!("{address}: {err:?}"),
            }
        }
        let elsewhere = verifier.verify(&text, None).await;
        assert!(matches!(elsewhere, Err(TokenError::WrongAddress(_))), "from nobody knows where");
        assert_eq!(world.directory.reads(), 1);
        world.directory.forget_reads();
    }
}

#[tokio::test]
async fn a_single_address_can_be_asked_for_too() {
    let world = TokenWorld::new();
    let (_, project) = world.project();
    let code = "right({\"projects:read\"}); check if ip(\"192.0.2.7\");";
    let text = super::support::base64(&world.signed(code));
    let verifier = world.verifier();
    for (address, expected) in [("192.0.2.7", true), ("192.0.2.8", false)] {
        let holder = verifier.verify(&text, Some(ip(address))).await;
        let allowed = holder.is_ok_and(|it| may(&it, Permission::ProjectsRead, project));
        assert_eq!(allowed, expected);
    }
}

#[tokio::test]
async fn a_token_is_over_when_a_check_of_any_form_says_so() {
    let world = TokenWorld::new();
    let until = (world.world.clock.now() + TimeDelta::seconds(2)).to_rfc3339();
    let code = format!(
        "right({{\"projects:read\"}}); late($now) <- time($now), {until} <= $now; \
         reject if late($now);"
    );
    let text = super::support::base64(&world.signed(&code));
    let verifier = world.verifier();
    verifier.verify(&text, None).await.unwrap();
    world.world.clock.advance(TimeDelta::seconds(2));
    assert!(matches!(verifier.verify(&text, None).await, Err(TokenError::Invalid)));
}

#[tokio::test]
async fn a_token_tells_which_permissions_it_was_narrowed_to() {
    let world = TokenWorld::new();
    let token = world.stored(everything());
    let (_, project) = world.project();
    let project = project.project_id().unwrap();
    let verifier = world.verifier();
    let usable =
        async |text: &str| verifier.verify(text, None).await.unwrap().usable_permissions().unwrap();
    let all = usable(&token.text).await;
    let wanted = [Permission::ProjectsRead, Permission::ProjectsWrite, Permission::LogsRead];
    assert!(wanted.iter().all(|permission| all.contains(*permission)));

    let permissions = Some(wanted.to_vec());
    let some = world.narrow(&token.text, &Narrowing { permissions, ..Narrowing::default() });
    assert_eq!(usable(&some).await, wanted.into_iter().collect());
    let reading = Narrowing { is_read_only: true, ..Narrowing::default() };
    let reading = world.narrow(&some, &reading);
    let left: PermissionSet =
        [Permission::ProjectsRead, Permission::LogsRead].into_iter().collect();
    assert_eq!(usable(&reading).await, left);
    let projects = Some(vec![project]);
    let there = world.narrow(&reading, &Narrowing { projects, ..Narrowing::default() });
    assert_eq!(usable(&there).await, left, "there it may");
    let nothing = Narrowing { permissions: Some(vec![]), ..Narrowing::default() };
    assert_eq!(usable(&world.narrow(&there, &nothing)).await, PermissionSet::EMPTY);
}

#[tokio::test]
async fn a_narrow_token_hides_what_it_cannot_touch() {
    let world = TokenWorld::new();
    let (_, project) = world.project();
    let [ours, theirs] = [(); 2].map(|()| EnvironmentId::generate(world.fx()));
    let narrowing =
        Narrowing { environments: Some(vec![ours]), is_read_only: true, ..Narrowing::default() };
    let text = world.narrow(&world.stored(everything()).text, &narrowing);
    let holder = world.verifier().verify(&text, None).await.unwrap();

    let read = Permission::EnvironmentsRead;
    assert!(may(&holder, read, project.in_environment(ours)));
    let permission = Permission::EnvironmentsWrite;
    let forbidden = Err(Denied::Forbidden { permission });
    assert_eq!(authorize(&holder, permission, project.in_environment(ours)), forbidden);
    let elsewhere = authorize(&holder, read, project.in_environment(theirs));
    assert_eq!(elsewhere, Err(Denied::Hidden));
    assert!(!may(&holder, read, Target::projects(world.world.organization)), "no lists");
}

#[tokio::test]
async fn a_token_for_one_deployment_or_for_none_keeps_to_it() {
    let world = TokenWorld::new();
    let (_, project) = world.project();
    let environment = project.in_environment(EnvironmentId::generate(world.fx()));
    let [ours, theirs] = [(); 2].map(|()| Id::generate(world.fx()));
    let token = world.stored(everything());
    let one = Narrowing { deployments: Some(vec![ours]), ..Narrowing::default() };
    let none = Narrowing { excludes_deployments: true, ..Narrowing::default() };
    for (narrowing, expected) in [(one, [true, false, false]), (none, [false, false, true])] {
        let text = world.narrow(&token.text, &narrowing);
        let holder = world.verifier().verify(&text, None).await.unwrap();
        let targets =
            [environment.in_deployment(ours), environment.in_deployment(theirs), environment];
        assert_eq!(targets.map(|target| may(&holder, Permission::LogsRead, target)), expected);
    }
}

#[tokio::test]
async fn a_sealed_token_works_like_the_one_that_it_was() {
    let world = TokenWorld::new();
    let token = world.stored(everything());
    let sealed = seal(&token.text).unwrap();
    let (_, project) = world.project();
    let holder = world.verifier().verify(sealed.expose(), None).await.unwrap();
    assert!(may(&holder, Permission::ProjectsWrite, project));
}

#[tokio::test]
async fn a_known_token_costs_no_look_up_until_its_time_is_over() {
    let world = TokenWorld::new();
    let token = world.stored(everything());
    let options =
        VerifierOptions { cache_ttl: Duration::from_mins(1), ..VerifierOptions::default() };
    let verifier = world.verifier_with(options);
    for _ in 0..10 {
        verifier.verify(&token.text, None).await.unwrap();
    }
    assert_eq!(world.directory.reads(), 1);
    world.world.clock.advance(TimeDelta::seconds(60));
    verifier.verify(&token.text, None).await.unwrap();
    assert_eq!(world.directory.reads(), 2);
}

#[tokio::test]
async fn a_directory_that_cannot_be_read_says_nothing_about_the_token() {
    let world = TokenWorld::new();
    let token = world.stored(everything());
    *world.directory.failure.lock().unwrap() = Some("connection refused");
    let refused = world.verifier().verify(&token.text, None).await;
    assert!(matches!(refused, Err(TokenError::Unavailable(_))), "{refused:?}");
}

#[tokio::test]
async fn old_root_keys_verify_until_they_are_dropped() {
    let mut world = TokenWorld::new();
    let old = world.stored(everything());
    let verifier = world.verifier();
    assert!(verifier.verify(&old.text, None).await.is_ok());

    let number = world.keys.rotate(&world.world.entropy);
    verifier.use_root_keys(RootKeys::parse(&world.keys.to_text()).unwrap());
    let new = world.stored(everything());
    assert_eq!(windlass_auth::inspect(&new.text).unwrap().root_key, Some(number));
    for token in [&old, &new] {
        assert!(verifier.verify(&token.text, None).await.is_ok());
    }

    world.keys.retain_newest();
    verifier.use_root_keys(RootKeys::parse(&world.keys.to_text()).unwrap());
    assert!(matches!(verifier.verify(&old.text, None).await, Err(TokenError::Invalid)));
    assert!(verifier.verify(&new.text, None).await.is_ok());
}

#[tokio::test]
async fn a_link_says_that_it_is_one_and_opens_nothing_else() {
    let world = TokenWorld::new();
    let purpose = windlass_auth::TokenPurpose::Link { issuing_key: None };
    let minted = world.stored(NewToken { purpose, ..everything() });
    let token = world.stored(everything());
    let narrowing = Narrowing { is_for_link: true, ..Narrowing::default() };
    let narrowed = world.narrow(&token.text, &narrowing);
    for (text, expected) in [(&minted.text, true), (&narrowed, true), (&token.text, false)] {
        let verifier = world.verifier();
        let holder = verifier.verify_link(text, None).await.unwrap();
        let Credential::Token { is_link, .. } = holder.credential else { panic!("a token") };
        assert_eq!(is_link, expected);
        assert_eq!(verifier.verify(text, None).await.is_err(), is_link);
    }
}

#[tokio::test]
async fn a_persons_own_token_makes_what_they_could_make_until_it_is_narrowed_or_ends() {
    let world = TokenWorld::new();
    let (_, project) = world.project();
    let life = TimeDelta::days(1);
    let expires_at = Some(world.world.clock.now() + life);
    let purpose = windlass_auth::TokenPurpose::Login;
    let own = world.stored(NewToken { purpose, expires_at, ..everything() });
    let delegated = world.stored(everything());
    let narrowed =
        world.narrow(&own.text, &Narrowing { is_read_only: true, ..Narrowing::default() });
    let bound = Some(vec!["192.0.2.0/24".parse().unwrap()]);
    let bound = world.stored(NewToken { purpose, allowed_addresses: bound, ..everything() });

    let verifier = world.verifier();
    for (text, is_own) in
        [(&own.text, true), (&delegated.text, false), (&narrowed, false), (&bound.text, false)]
    {
        let holder = verifier.verify(text, Some(ip("192.0.2.1"))).await.unwrap();
        let new = NewToken { expires_at, ..everything() };
        let made = mint_token(new, &*holder, &world.keys, world.fx());
        assert_eq!(made.is_ok(), is_own, "{made:?}");
        assert_eq!(check_admission(&holder, Role::Viewer).is_ok(), is_own);
    }
    let holder = verifier.verify(&own.text, None).await.unwrap();
    assert!(may(&holder, Permission::ProjectsWrite, project));
    let longer = NewToken { expires_at: expires_at.map(|at| at + life), ..everything() };
    assert!(mint_token(longer, &*holder, &world.keys, world.fx()).is_err());

    world.world.clock.advance(life);
    assert!(matches!(verifier.verify(&own.text, None).await, Err(TokenError::Invalid)));
}
