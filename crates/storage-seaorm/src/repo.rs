//! The repositories: all on one type, as they differ only in their queries.
//!
//! Each file holds the queries of one trait and, below them, the row and its conversions.

mod account;
mod api_key;
mod audit;
mod build;
mod deployment;
mod env_var;
mod environment;
mod imported_format;
mod invitation;
mod job;
mod log;
mod login_code;
mod member;
mod once;
mod organization;
mod project;
mod session;
mod signing_key;
mod token;
mod usage;
mod webhook;

use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, DatabaseExecutor, EntityTrait, IntoActiveModel, QueryFilter,
    QueryOrder, QuerySelect, Select,
    prelude::Uuid,
    sea_query::{Expr, LockType, OnConflict},
};
use windlass_domain::{Id, IdKind, Page, PageRequest};
use windlass_storage::StoreError;

use crate::error::{BadColumn, corrupt, store_error};

/// How many rows one statement names: every database takes that many values.
const MOST_AT_ONCE: usize = 1_000;

/// The repositories of one unit of work.
pub(crate) struct Repo<'a> {
    pub(crate) db: DatabaseExecutor<'a>,
}

impl Repo<'_> {
    /// What the row stands for that a query finds.
    async fn find_row<E, T>(&self, query: Select<E>) -> Result<Option<T>, StoreError>
    where
        E: EntityTrait,
        T: TryFrom<E::Model, Error = StoreError>,
    {
        let row = query.one(&self.db).await.map_err(store_error)?;
        row.map(T::try_from).transpose()
    }

    /// What all the rows stand for that a query finds.
    async fn list_rows<E, T>(&self, query: Select<E>) -> Result<Vec<T>, StoreError>
    where
        E: EntityTrait,
        T: TryFrom<E::Model, Error = StoreError>,
    {
        let rows = query.all(&self.db).await.map_err(store_error)?;
        rows.into_iter().map(T::try_from).collect()
    }

    /// The same page by page, the newest first.
    async fn list_page<E, K, T>(
        &self,
        mut query: Select<E>,
        id: E::Column,
        page: PageRequest<Id<K>>,
    ) -> Result<Page<T>, StoreError>
    where
        E: EntityTrait,
        K: IdKind,
        T: TryFrom<E::Model, Error = StoreError>,
    {
        if let Some(cursor) = page.cursor {
            query = query.filter(id.lt(cursor.to_uuid()));
        }
        let query = query.order_by_desc(id).limit(page.fetch_limit());
        Ok(page.page_of(self.list_rows(query).await?))
    }

    /// Adds a row that nothing can be in the way of.
    async fn insert_row<A>(&self, row: impl IntoActiveModel<A>) -> Result<(), StoreError>
    where
        A: ActiveModelTrait,
    {
        let insert = A::Entity::insert(row.into_active_model());
        insert.exec_without_returning(&self.db).await.map_err(store_error)?;
        Ok(())
    }

    /// Adds a row unless a unique value is taken; `false` when it is.
    ///
    /// A plain insert would fail and, on PostgreSQL, take the whole transaction down with it.
    async fn try_insert_row<A>(&self, row: impl IntoActiveModel<A>) -> Result<bool, StoreError>
    where
        A: ActiveModelTrait,
    {
        let insert = A::Entity::insert(row.into_active_model())
            .on_conflict(OnConflict::new().do_nothing().to_owned());
        let inserted = insert.exec_without_returning(&self.db).await.map_err(store_error)?;
        Ok(0 < inserted)
    }

    /// Replaces a row that has to be there.
    async fn update_row<A>(&self, row: impl IntoActiveModel<A>) -> Result<(), StoreError>
    where
        A: ActiveModelTrait,
    {
        let update = A::Entity::update(row.into_active_model().reset_all());
        update.exec_without_returning(&self.db).await.map_err(store_error)?;
        Ok(())
    }

    /// Revokes what a query finds and was not revoked before; tells how many those were.
    async fn revoke_rows<E: EntityTrait>(
        &self,
        query: Select<E>,
        id: E::Column,
        revoked_at: E::Column,
        at: DateTime<Utc>,
    ) -> Result<u64, StoreError> {
        // Everybody locks the rows in the same order, or two could wait for each other.
        let ids: Vec<Uuid> = query
            .filter(revoked_at.is_null())
            .order_by_asc(id)
            .select_only()
            .column(id)
            .lock_for_update()
            .into_tuple()
            .all(&self.db)
            .await
            .map_err(store_error)?;
        let mut revoked = 0;
        for ids in ids.chunks(MOST_AT_ONCE) {
            let update = E::update_many()
                .col_expr(revoked_at, Expr::value(at))
                .filter(id.is_in(ids.iter().copied()))
                .exec(&self.db);
            revoked += update.await.map_err(store_error)?.rows_affected;
        }
        Ok(revoked)
    }
}

/// Locks rows that are about to be changed until the transaction ends.
trait LockForUpdate: QuerySelect {
    /// Weaker than `FOR UPDATE` by one thing: rows that refer to the locked one can still be
    /// added, since its identifier never changes. SQLite has no row locks and leaves this out;
    /// there the transaction holds the only lock.
    fn lock_for_update(self) -> Self {
        self.lock(LockType::NoKeyUpdate)
    }
}

impl<Q: QuerySelect> LockForUpdate for Q {}

/// How a count is stored. What is beyond the range of the column is beyond anything that can be
/// counted.
fn to_stored(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// A stored count.
fn from_stored<T: TryFrom<i64>>(
    stored: i64,
    table: &'static str,
    column: &'static str,
) -> Result<T, StoreError> {
    T::try_from(stored).map_err(|_| corrupt(table)(BadColumn(column)))
}

/// The value of a column that this kind of row must have.
fn required<T>(
    value: Option<T>,
    table: &'static str,
    column: &'static str,
) -> Result<T, StoreError> {
    value.ok_or_else(|| corrupt(table)(BadColumn(column)))
}
