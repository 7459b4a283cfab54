//! What we tell a project's PostgreSQL as its administrator. Only from the database `postgres`, to
//! which environments have no access: what they keep in their own could make us run it.

use secrecy::{ExposeSecret as _, SecretString};
use windlass_domain::EnvironmentId;

/// Connections that an environment may have at once.
const CONNECTIONS: u32 = 20;

/// One that was cut off may still be at work: the next waits for it. And what every cluster needs.
const BEGIN: &str = "\\o /dev/null
SELECT pg_advisory_lock(1);
REVOKE ALL ON DATABASE postgres FROM PUBLIC;
REVOKE ALL ON DATABASE template1 FROM PUBLIC;
";

/// The name of an environment's role and of its database: letters, digits and `_`.
pub(crate) fn name(environment: EnvironmentId) -> String {
    environment.to_string()
}

/// The database into which a dump is read, before it takes the place of the environment's.
pub(crate) fn next_name(environment: EnvironmentId) -> String {
    format!("{environment}_next")
}

/// The name of the role that reads and writes dumps: it may do what the environment's may, and is
/// let in also when that one has all its connections.
pub(crate) fn keeper(environment: EnvironmentId) -> String {
    format!("{environment}_keeper")
}

/// The passwords of an environment's two roles.
#[derive(Debug)]
pub(crate) struct Passwords {
    pub(crate) own: SecretString,
    pub(crate) keeper: SecretString,
}

/// Makes the roles and the database, and takes back what an app may have changed of them.
pub(crate) fn ensure(environment: EnvironmentId, passwords: &Passwords) -> SecretString {
    let (role, next) = (name(environment), next_name(environment));
    let (own, keeper_secret) = (passwords.own.expose_secret(), passwords.keeper.expose_secret());
    let keeper = keeper(environment);
    // Cut off between dropping the old database and renaming the new one, the new one is it.
    let text = format!(
        "{BEGIN}SELECT 'CREATE ROLE \"{role}\"'
 WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}') \\gexec
ALTER ROLE \"{role}\" LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS
 CONNECTION LIMIT {CONNECTIONS} PASSWORD '{own}' VALID UNTIL 'infinity';
SELECT 'CREATE ROLE \"{keeper}\" NOLOGIN'
 WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{keeper}') \\gexec
ALTER ROLE \"{keeper}\" LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION BYPASSRLS INHERIT
 CONNECTION LIMIT 4 PASSWORD '{keeper_secret}' VALID UNTIL 'infinity';
GRANT \"{role}\" TO \"{keeper}\";
SELECT 'ALTER DATABASE \"{next}\" RENAME TO \"{role}\"'
 WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = '{role}')
 AND EXISTS (SELECT FROM pg_database WHERE datname = '{next}') \\gexec
{create}ALTER DATABASE \"{role}\" ALLOW_CONNECTIONS true CONNECTION LIMIT -1;
",
        create = create(&role, &role),
    );
    text.into()
}

/// Removes an environment's roles with all that they have. Another environment can give them
/// something in its own database, which would keep them from being dropped: so they may stay, shut.
pub(crate) fn remove(environment: EnvironmentId) -> SecretString {
    let (role, next) = (name(environment), next_name(environment));
    let drop = [keeper(environment), role.clone()].map(|role| {
        format!(
            "DO $$ BEGIN DROP ROLE IF EXISTS \"{role}\";
EXCEPTION WHEN dependent_objects_still_exist THEN
 ALTER ROLE \"{role}\" NOLOGIN PASSWORD NULL; ALTER ROLE \"{role}\" RESET ALL;
END $$;
"
        )
    });
    let text = format!(
        "{BEGIN}DROP DATABASE IF EXISTS \"{next}\" (FORCE);
DROP DATABASE IF EXISTS \"{role}\" (FORCE);
{}",
        drop.concat()
    );
    text.into()
}

/// Makes an empty database to read a dump into.
pub(crate) fn begin_restore(environment: EnvironmentId) -> SecretString {
    let (role, next) = (name(environment), next_name(environment));
    let text = format!(
        "{BEGIN}DROP DATABASE IF EXISTS \"{next}\" (FORCE);
{create}",
        create = create(&next, &role),
    );
    text.into()
}

/// Drops what was read of a dump.
pub(crate) fn abandon_restore(environment: EnvironmentId) -> SecretString {
    format!("{BEGIN}DROP DATABASE IF EXISTS \"{}\" (FORCE);\n", next_name(environment)).into()
}

/// Puts what was read of a dump in its place.
pub(crate) fn finish_restore(environment: EnvironmentId) -> SecretString {
    let (role, next) = (name(environment), next_name(environment));
    let text = format!(
        "{BEGIN}SELECT 'DROP DATABASE IF EXISTS \"{role}\" (FORCE)'
 WHERE EXISTS (SELECT FROM pg_database WHERE datname = '{next}') \\gexec
ALTER DATABASE \"{next}\" RENAME TO \"{role}\";
"
    );
    text.into()
}

/// Nobody but its owner may connect. From `template0`, which nobody can have changed.
fn create(database: &str, owner: &str) -> String {
    format!(
        "SELECT 'CREATE DATABASE \"{database}\" OWNER \"{owner}\" TEMPLATE template0'
 WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = '{database}') \\gexec
REVOKE ALL ON DATABASE \"{database}\" FROM PUBLIC;
GRANT ALL ON DATABASE \"{database}\" TO \"{owner}\";
"
    )
}
