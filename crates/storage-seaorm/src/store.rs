//! The store and its units of work.

use std::sync::Arc;

use async_trait::async_trait;
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseExecutor, DatabaseTransaction, DbBackend, DbErr,
    SqliteTransactionMode, SqlxPostgresConnector, Statement, TransactionOptions, TransactionTrait,
    sqlx::pool::PoolOptions,
};
use tokio::sync::broadcast;
use windlass_migrations::{Migrator, MigratorTrait};
use windlass_storage::{
    AccountRepo, ApiKeyRepo, AuditRepo, BuildRepo, DeploymentRepo, EnvVarRepo, EnvironmentRepo,
    ImportedFormatRepo, InvitationRepo, JobRepo, LogRepo, LoginCodeRepo, MemberRepo, OnceRepo,
    OrganizationRepo, ProjectRepo, SessionRepo, Signal, SigningKeyRepo, Store, StoreError,
    TokenRepo, UnitOfWork, UsageRepo, WebhookRepo,
};

use crate::{
    DatabaseOptions,
    connect::Pools,
    error::{sqlx_error, store_error},
    repo::Repo,
    signals::{Hub, Listening, NOTIFY, without_repeats},
};

/// Lets one server at a time change the schema. Any number will do that is used for nothing else.
const MIGRATION_LOCK: &str = "SELECT pg_advisory_xact_lock(7311861031042715233)";

/// A store on SQLite or PostgreSQL. Clones share its connections.
#[derive(Debug, Clone)]
pub struct SeaStore {
    pools: Pools,
    hub: Hub,
    /// Absent on SQLite: nobody else has anything to tell.
    _listening: Option<Arc<Listening>>,
}

impl SeaStore {
    /// Connects, without touching the schema.
    ///
    /// Fails with [`StoreError::Unreachable`] when the database is not there yet.
    pub async fn connect(options: &DatabaseOptions) -> Result<Self, StoreError> {
        let pools = Pools::connect(options).await?;
        let hub = Hub::new();
        let listening = match &pools.postgres {
            Some(server) => Some(hub.listen(server.clone()).await.map_err(sqlx_error)?),
            None => None,
        };
        Ok(Self { pools, hub, _listening: listening.map(Arc::new) })
    }

    /// Brings the schema up to date: all of it, or nothing when a step fails. Servers that start
    /// together do it one after another.
    pub async fn migrate(&self) -> Result<(), StoreError> {
        let tx = self.begin_migration().await?;
        Migrator::up(&tx, None).await.map_err(store_error)?;
        tx.commit().await.map_err(store_error)
    }

    /// Takes the newest `steps` back, with the data that they hold.
    pub async fn migrate_down(&self, steps: u32) -> Result<(), StoreError> {
        let tx = self.begin_migration().await?;
        Migrator::down(&tx, Some(steps)).await.map_err(store_error)?;
        tx.commit().await.map_err(store_error)
    }

    /// Names of the steps that [`SeaStore::migrate`] would take; empty when the schema is up to
    /// date.
    pub async fn pending_migrations(&self) -> Result<Vec<String>, StoreError> {
        let pending = Migrator::get_pending_migrations_read_only(&self.pools.readers).await;
        let pending = pending.map_err(store_error)?;
        Ok(pending.iter().map(|migration| migration.name().to_owned()).collect())
    }

    /// Whether the database answers.
    pub async fn ping(&self) -> Result<(), StoreError> {
        self.pools.readers.execute_unprepared("SELECT 1").await.map_err(store_error)?;
        Ok(())
    }

    /// Ends all connections in order, which leaves SQLite with one file.
    #[cfg(feature = "test-util")]
    pub(crate) async fn close(self) -> Result<(), DbErr> {
        self.pools.readers.close().await?;
        self.pools.writers.close().await
    }

    async fn begin_migration(&self) -> Result<DatabaseTransaction, StoreError> {
        let Some(server) = &self.pools.postgres else {
            return begin_write(&self.pools.writers).await;
        };
        // A connection of its own, without the usual time limits: a step may rewrite a large table.
        let pool = PoolOptions::new().max_connections(1).connect_with(server.clone()).await;
        let pool = SqlxPostgresConnector::from_sqlx_postgres_pool(pool.map_err(sqlx_error)?);
        let tx = begin_write(&pool).await?;
        tx.execute_unprepared(MIGRATION_LOCK).await.map_err(store_error)?;
        Ok(tx)
    }
}

#[async_trait]
impl Store for SeaStore {
    async fn read(&self) -> Result<Box<dyn UnitOfWork>, StoreError> {
        // Without a transaction: PostgreSQL's default one would show each query the newest state
        // as well, and this saves a request two round trips.
        let access = Access::Read(self.pools.readers.clone());
        Ok(Box::new(SeaUnitOfWork::new(access, self.hub.clone())))
    }

    #[tracing::instrument(name = "db.write", level = "debug", skip_all)]
    async fn write(&self) -> Result<Box<dyn UnitOfWork>, StoreError> {
        let access = Access::Write(begin_write(&self.pools.writers).await?);
        Ok(Box::new(SeaUnitOfWork::new(access, self.hub.clone())))
    }

    fn signals(&self) -> broadcast::Receiver<Signal> {
        self.hub.subscribe()
    }
}

async fn begin_write(pool: &DatabaseConnection) -> Result<DatabaseTransaction, StoreError> {
    let is_sqlite = pool.get_database_backend() == DbBackend::Sqlite;
    // A deferred SQLite transaction fails when it turns from reading to writing while another
    // program writes, so a writer takes the lock at once.
    let options = TransactionOptions {
        sqlite_transaction_mode: is_sqlite.then_some(SqliteTransactionMode::Immediate),
        ..TransactionOptions::default()
    };
    pool.begin_with_options(options).await.map_err(|err| {
        if is_sqlite && matches!(err, DbErr::ConnectionAcquire(_)) {
            // Other writers were in front for too long; the file itself is always there.
            StoreError::Busy(Box::new(err))
        } else {
            store_error(err)
        }
    })
}

struct SeaUnitOfWork {
    access: Access,
    hub: Hub,
    signals: Vec<Signal>,
    after_commit: Vec<Box<dyn FnOnce() + Send>>,
}

enum Access {
    Read(DatabaseConnection),
    Write(DatabaseTransaction),
}

impl SeaUnitOfWork {
    fn new(access: Access, hub: Hub) -> Self {
        Self { access, hub, signals: Vec::new(), after_commit: Vec::new() }
    }

    fn repo(&self) -> Repo<'_> {
        Repo {
            db: match &self.access {
                Access::Read(pool) => DatabaseExecutor::Connection(pool),
                Access::Write(tx) => DatabaseExecutor::Transaction(tx),
            },
        }
    }
}

#[async_trait]
impl UnitOfWork for SeaUnitOfWork {
    fn organizations(&mut self) -> Box<dyn OrganizationRepo + '_> {
        Box::new(self.repo())
    }
    fn members(&mut self) -> Box<dyn MemberRepo + '_> {
        Box::new(self.repo())
    }
    fn invitations(&mut self) -> Box<dyn InvitationRepo + '_> {
        Box::new(self.repo())
    }
    fn accounts(&mut self) -> Box<dyn AccountRepo + '_> {
        Box::new(self.repo())
    }
    fn api_keys(&mut self) -> Box<dyn ApiKeyRepo + '_> {
        Box::new(self.repo())
    }
    fn imported_formats(&mut self) -> Box<dyn ImportedFormatRepo + '_> {
        Box::new(self.repo())
    }
    fn tokens(&mut self) -> Box<dyn TokenRepo + '_> {
        Box::new(self.repo())
    }
    fn sessions(&mut self) -> Box<dyn SessionRepo + '_> {
        Box::new(self.repo())
    }
    fn login_codes(&mut self) -> Box<dyn LoginCodeRepo + '_> {
        Box::new(self.repo())
    }
    fn signing_keys(&mut self) -> Box<dyn SigningKeyRepo + '_> {
        Box::new(self.repo())
    }
    fn projects(&mut self) -> Box<dyn ProjectRepo + '_> {
        Box::new(self.repo())
    }
    fn environments(&mut self) -> Box<dyn EnvironmentRepo + '_> {
        Box::new(self.repo())
    }
    fn deployments(&mut self) -> Box<dyn DeploymentRepo + '_> {
        Box::new(self.repo())
    }
    fn builds(&mut self) -> Box<dyn BuildRepo + '_> {
        Box::new(self.repo())
    }
    fn jobs(&mut self) -> Box<dyn JobRepo + '_> {
        Box::new(self.repo())
    }
    fn logs(&mut self) -> Box<dyn LogRepo + '_> {
        Box::new(self.repo())
    }
    fn env_vars(&mut self) -> Box<dyn EnvVarRepo + '_> {
        Box::new(self.repo())
    }
    fn once(&mut self) -> Box<dyn OnceRepo + '_> {
        Box::new(self.repo())
    }
    fn audit(&mut self) -> Box<dyn AuditRepo + '_> {
        Box::new(self.repo())
    }
    fn webhooks(&mut self) -> Box<dyn WebhookRepo + '_> {
        Box::new(self.repo())
    }
    fn usage(&mut self) -> Box<dyn UsageRepo + '_> {
        Box::new(self.repo())
    }

    fn signal(&mut self, signal: Signal) {
        self.signals.push(signal);
    }

    fn after_commit(&mut self, action: Box<dyn FnOnce() + Send>) {
        self.after_commit.push(action);
    }

    #[tracing::instrument(name = "db.commit", level = "debug", skip_all)]
    async fn commit(self: Box<Self>) -> Result<(), StoreError> {
        let Self { access, hub, signals, after_commit } = *self;
        let signals = without_repeats(signals);
        if let Access::Write(tx) = access {
            if tx.get_database_backend() == DbBackend::Postgres {
                prepare_commit(&tx, &hub, &signals).await?;
            }
            tx.commit().await.map_err(store_error)?;
        }
        for action in after_commit {
            action();
        }
        hub.send(signals);
        Ok(())
    }
}

/// Hands the signals over to PostgreSQL, which delivers them if and when the transaction commits.
async fn prepare_commit(
    tx: &DatabaseTransaction,
    hub: &Hub,
    signals: &[Signal],
) -> Result<(), StoreError> {
    if signals.is_empty() {
        // After a failed statement PostgreSQL answers COMMIT with a rollback and no error. Any
        // other statement does fail, so nobody takes lost work for kept work.
        tx.execute_unprepared("SELECT 1").await.map_err(store_error)?;
        return Ok(());
    }
    for payload in hub.payloads(signals) {
        let notify = Statement::from_sql_and_values(DbBackend::Postgres, NOTIFY, [payload.into()]);
        tx.execute_raw(notify).await.map_err(store_error)?;
    }
    Ok(())
}
