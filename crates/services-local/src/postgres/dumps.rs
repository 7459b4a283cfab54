//! Dumps, by a role that can do no more than the environment's own: nor can what is in a database or
//! a dump.

use std::{io, time::Duration};

use secrecy::ExposeSecret as _;
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    time::timeout,
};
use windlass_domain::EnvironmentId;
use windlass_services::ServiceError;

use super::{Cluster, sql};
use crate::{
    programs::{command, last_lines, start},
    secrets::Purpose,
};

/// How long a dump may take, or reading one.
const LIMIT: Duration = Duration::from_hours(1);

impl Cluster<'_> {
    /// Writes an environment's database. The server must run.
    pub(crate) async fn dump(
        &self,
        environment: EnvironmentId,
        to: &mut (dyn AsyncWrite + Unpin + Send),
    ) -> Result<u64, ServiceError> {
        let failed = |error: io::Error| ServiceError::unavailable("dumping a database")(error);
        let mut pg_dump = self.as_keeper("pg_dump", environment, &sql::name(environment)).await?;
        pg_dump.args(["--format=custom", "--no-password"]);
        let mut child = start(pg_dump).map_err(failed)?;
        drop(child.stdin.take());
        let (out, errors) = (child.stdout.take(), child.stderr.take());
        let work = async {
            let copy = async {
                let Some(mut out) = out else { return Ok(0) };
                let bytes = tokio::io::copy(&mut out, to).await?;
                to.flush().await?;
                Ok(bytes)
            };
            let (copied, said) = tokio::join!(copy, everything(errors));
            let bytes = copied.map_err(failed)?;
            let status = child.wait().await.map_err(failed)?;
            if status.success() {
                return Ok(bytes);
            }
            Err(failed(io::Error::other(format!("{status}: {}", last_lines(&said)))))
        };
        timeout(LIMIT, work).await.unwrap_or_else(|_| Err(failed(io::ErrorKind::TimedOut.into())))
    }

    /// Reads a dump into a database of its own, beside the environment's. The server must run.
    pub(crate) async fn read_dump(
        &self,
        environment: EnvironmentId,
        from: &mut (dyn AsyncRead + Unpin + Send),
    ) -> Result<(), ServiceError> {
        let failed = |error: io::Error| ServiceError::unavailable("reading a dump")(error);
        self.administer(&sql::begin_restore(environment)).await?;
        let next = sql::next_name(environment);
        let mut pg_restore = self.as_keeper("pg_restore", environment, &next).await?;
        pg_restore.args(["--format=custom", "--no-password", "--exit-on-error"]);
        // All belongs to the environment's role, whoever it belonged to.
        pg_restore.args(["--no-owner", "--no-privileges", "--role"]).arg(sql::name(environment));
        pg_restore.arg("--dbname").arg(&next);
        let mut child = start(pg_restore).map_err(failed)?;
        let (input, errors) = (child.stdin.take(), child.stderr.take());
        drop(child.stdout.take());
        let work = async {
            let copy = async {
                let Some(mut input) = input else { return Ok(()) };
                feed(from, &mut input).await
            };
            let (copied, said) = tokio::join!(copy, everything(errors));
            copied.map_err(failed)?;
            let status = child.wait().await.map_err(failed)?;
            if status.success() {
                return Ok(());
            }
            let said = last_lines(&said);
            Err(ServiceError::Refused(format!("the dump cannot be read: {said}")))
        };
        timeout(LIMIT, work).await.unwrap_or_else(|_| Err(failed(io::ErrorKind::TimedOut.into())))
    }

    /// Puts what was read of a dump in the place of the environment's database.
    pub(crate) async fn finish_restore(
        &self,
        environment: EnvironmentId,
    ) -> Result<(), ServiceError> {
        self.administer(&sql::finish_restore(environment)).await
    }

    /// Drops what was read of a dump.
    pub(crate) async fn abandon_restore(
        &self,
        environment: EnvironmentId,
    ) -> Result<(), ServiceError> {
        self.administer(&sql::abandon_restore(environment)).await
    }

    async fn as_keeper(
        &self,
        program: &str,
        environment: EnvironmentId,
        database: &str,
    ) -> Result<std::process::Command, ServiceError> {
        let programs = self.programs().await?;
        let password = self.means.config.key.derive(Purpose::PostgresKeeper, &environment);
        let mut command = command(&programs.program(program), self.means.layout.user());
        command.env("PGUSER", sql::keeper(environment)).env("PGDATABASE", database);
        command.env("PGPASSWORD", password.expose_secret()).envs(self.socket());
        Ok(command)
    }
}

/// Copies, until the reader has had enough: it says why itself. What cannot be read is an error.
async fn feed(
    from: &mut (dyn AsyncRead + Unpin + Send),
    to: &mut (impl AsyncWrite + Unpin),
) -> io::Result<()> {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let read = from.read(&mut buffer).await?;
        let part = buffer.get(..read).unwrap_or_default();
        if read == 0 || to.write_all(part).await.is_err() {
            return Ok(());
        }
    }
}

async fn everything(from: Option<impl AsyncRead + Unpin>) -> String {
    let mut bytes = Vec::new();
    if let Some(mut from) = from {
        // As far as it goes; the program's status says whether it worked.
        let _ = from.read_to_end(&mut bytes).await;
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
