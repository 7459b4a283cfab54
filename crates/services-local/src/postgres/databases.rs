//! What an environment has in its project's server.

use secrecy::{ExposeSecret as _, SecretString};
use windlass_domain::EnvironmentId;
use windlass_services::ServiceError;

use super::{Cluster, sql};
use crate::secrets::Purpose;

impl Cluster<'_> {
    /// Makes an environment's database where there is none. The server must run.
    pub(crate) async fn ensure(
        &self,
        environment: EnvironmentId,
        port: u16,
    ) -> Result<Vec<(&'static str, SecretString)>, ServiceError> {
        let passwords = self.passwords(environment);
        self.administer(&sql::ensure(environment, &passwords)).await?;
        let password = passwords.own;
        let name = sql::name(environment);
        let host = "127.0.0.1";
        let url = format!("postgresql://{name}:{}@{host}:{port}/{name}", password.expose_secret());
        Ok(vec![
            ("DATABASE_URL", url.into()),
            ("PGHOST", host.into()),
            ("PGPORT", port.to_string().into()),
            ("PGUSER", name.clone().into()),
            ("PGPASSWORD", password),
            ("PGDATABASE", name.into()),
        ])
    }

    /// Makes an environment's database anew. The server must run.
    pub(crate) async fn reset(&self, environment: EnvironmentId) -> Result<(), ServiceError> {
        self.drop(environment).await?;
        self.administer(&sql::ensure(environment, &self.passwords(environment))).await
    }

    /// Removes an environment's database, where there is one. The server must run.
    pub(crate) async fn drop(&self, environment: EnvironmentId) -> Result<(), ServiceError> {
        self.administer(&sql::remove(environment)).await
    }

    fn passwords(&self, environment: EnvironmentId) -> sql::Passwords {
        sql::Passwords {
            own: self.means.config.key.derive(Purpose::Postgres, &environment),
            keeper: self.means.config.key.derive(Purpose::PostgresKeeper, &environment),
        }
    }
}
