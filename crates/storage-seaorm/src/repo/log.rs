//! Logs in SQL: a head for each log, a position for each of its sources, and the lines.

use async_trait::async_trait;
use sea_orm::{
    ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect,
    sea_query::OnConflict,
};
use uuid::Uuid;
use windlass_domain::{LogId, LogLine, LogStream, LogText, NewLogLine};
use windlass_storage::{LogHead, LogRepo, SourceMove, StoreError};

use super::{LockForUpdate, Repo, from_stored, to_stored};
use crate::error::{BadColumn, corrupt, store_error};

/// Most lines that one statement adds: 5 parameters each, and SQLite takes 32766.
const MOST_LINES: usize = 1_024;

impl Repo<'_> {
    /// The log's head, which nobody else can move until the unit of work ends.
    async fn lock_head(&self, log: Uuid) -> Result<LogHead, StoreError> {
        let query = head::Entity::find_by_id(log).lock_for_update();
        if let Some(row) = query.clone().one(&self.db).await.map_err(store_error)? {
            return LogHead::try_from(row);
        }
        self.try_insert_row(to_head_row(log, LogHead::default())).await?;
        // Whoever has added it first may have moved it since.
        let row = query.one(&self.db).await.map_err(store_error)?;
        row.map_or(Ok(LogHead::default()), LogHead::try_from)
    }

    async fn source_position(&self, log: Uuid, source: Uuid) -> Result<u64, StoreError> {
        let query = source::Entity::find_by_id((log, source));
        let row = query.one(&self.db).await.map_err(store_error)?;
        row.map_or(Ok(0), |row| from_stored(row.position, "log_sources", "position"))
    }

    async fn set_source_position(&self, log: Uuid, moved: SourceMove) -> Result<(), StoreError> {
        let row =
            source::Model { log_id: log, source: moved.source, position: to_stored(moved.to) };
        let replace = OnConflict::columns([source::Column::LogId, source::Column::Source])
            .update_column(source::Column::Position)
            .to_owned();
        let insert = source::Entity::insert(row.into_active_model()).on_conflict(replace);
        insert.exec_without_returning(&self.db).await.map_err(store_error)?;
        Ok(())
    }

    async fn insert_lines(&self, rows: Vec<line::Model>) -> Result<(), StoreError> {
        let mut rows = rows.into_iter();
        while 0 < rows.len() {
            // Powers of two, so that connections remember a few statements and not one for every
            // number of lines.
            let size = 1 << rows.len().min(MOST_LINES).ilog2();
            let chunk = rows.by_ref().take(size).map(IntoActiveModel::into_active_model);
            let insert = line::Entity::insert_many::<line::ActiveModel, _>(chunk);
            insert.exec_without_returning(&self.db).await.map_err(store_error)?;
        }
        Ok(())
    }
}

#[async_trait]
impl LogRepo for Repo<'_> {
    #[tracing::instrument(name = "db.log.head", level = "debug", skip(self))]
    async fn head(&mut self, log: LogId) -> Result<LogHead, StoreError> {
        let query = head::Entity::find_by_id(log.to_uuid());
        let row = query.one(&self.db).await.map_err(store_error)?;
        row.map_or(Ok(LogHead::default()), LogHead::try_from)
    }

    #[tracing::instrument(name = "db.log.position", level = "debug", skip(self))]
    async fn position(&mut self, log: LogId, source: Uuid) -> Result<u64, StoreError> {
        self.source_position(log.to_uuid(), source).await
    }

    #[tracing::instrument(name = "db.log.append", level = "debug", skip(self, lines), fields(count = lines.len()))]
    async fn append(
        &mut self,
        log: LogId,
        lines: &[NewLogLine],
        from_source: Option<SourceMove>,
    ) -> Result<bool, StoreError> {
        let log = log.to_uuid();
        let head = self.lock_head(log).await?;
        if head.ended {
            return Ok(false);
        }
        if let Some(moved) = from_source {
            if self.source_position(log, moved.source).await? != moved.from {
                return Ok(false);
            }
            self.set_source_position(log, moved).await?;
        }
        if lines.is_empty() {
            return Ok(true);
        }
        let rows = (head.next_seq..).zip(lines).map(|(seq, line)| to_line_row(log, seq, line));
        self.insert_lines(rows.collect()).await?;
        let next_seq = head.next_seq + lines.len() as u64;
        self.update_row(to_head_row(log, LogHead { next_seq, ..head })).await?;
        Ok(true)
    }

    #[tracing::instrument(name = "db.log.end", level = "debug", skip(self))]
    async fn end(&mut self, log: LogId) -> Result<(), StoreError> {
        let head = self.lock_head(log.to_uuid()).await?;
        self.update_row(to_head_row(log.to_uuid(), LogHead { ended: true, ..head })).await
    }

    #[tracing::instrument(name = "db.log.read", level = "debug", skip(self))]
    async fn read(
        &mut self,
        log: LogId,
        after: u64,
        limit: u32,
    ) -> Result<Vec<LogLine>, StoreError> {
        let query = line::Entity::find()
            .filter(line::Column::LogId.eq(log.to_uuid()))
            .filter(line::Column::Seq.gt(to_stored(after)))
            .order_by_asc(line::Column::Seq)
            .limit(u64::from(limit));
        let rows = query.all(&self.db).await.map_err(store_error)?;
        rows.into_iter().map(LogLine::try_from).collect()
    }

    #[tracing::instrument(name = "db.log.trim", level = "debug", skip(self))]
    async fn trim(&mut self, log: LogId, keep: u64) -> Result<(), StoreError> {
        let log = log.to_uuid();
        let head = self.lock_head(log).await?;
        let first_seq = head.first_seq.max(head.next_seq.saturating_sub(keep));
        if first_seq == head.first_seq {
            return Ok(());
        }
        line::Entity::delete_many()
            .filter(line::Column::LogId.eq(log))
            .filter(line::Column::Seq.lt(to_stored(first_seq)))
            .exec(&self.db)
            .await
            .map_err(store_error)?;
        self.update_row(to_head_row(log, LogHead { first_seq, ..head })).await
    }
}

mod head {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "logs")]
    pub(super) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub(super) id: Uuid,
        pub(super) next_seq: i64,
        pub(super) first_seq: i64,
        pub(super) ended: bool,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

mod source {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "log_sources")]
    pub(super) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub(super) log_id: Uuid,
        #[sea_orm(primary_key, auto_increment = false)]
        pub(super) source: Uuid,
        pub(super) position: i64,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

mod line {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "log_lines")]
    pub(super) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub(super) log_id: Uuid,
        #[sea_orm(primary_key, auto_increment = false)]
        pub(super) seq: i64,
        pub(super) time: DateTimeUtc,
        pub(super) stream: String,
        pub(super) text: String,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

fn to_head_row(log: Uuid, head: LogHead) -> head::Model {
    let LogHead { next_seq, first_seq, ended } = head;
    head::Model { id: log, next_seq: to_stored(next_seq), first_seq: to_stored(first_seq), ended }
}

impl TryFrom<head::Model> for LogHead {
    type Error = StoreError;

    fn try_from(row: head::Model) -> Result<Self, Self::Error> {
        let head::Model { id: _, next_seq, first_seq, ended } = row;
        Ok(Self {
            next_seq: from_stored(next_seq, "logs", "next_seq")?,
            first_seq: from_stored(first_seq, "logs", "first_seq")?,
            ended,
        })
    }
}

fn to_line_row(log: Uuid, seq: u64, line: &NewLogLine) -> line::Model {
    let NewLogLine { time, stream, text } = line;
    line::Model {
        log_id: log,
        seq: to_stored(seq),
        time: *time,
        stream: stream.name().to_owned(),
        text: text.as_str().to_owned(),
    }
}

impl TryFrom<line::Model> for LogLine {
    type Error = StoreError;

    fn try_from(row: line::Model) -> Result<Self, Self::Error> {
        let line::Model { log_id: _, seq, time, stream, text } = row;
        Ok(Self {
            seq: from_stored(seq, "log_lines", "seq")?,
            time,
            stream: match stream.as_str() {
                "stdout" => LogStream::Stdout,
                "stderr" => LogStream::Stderr,
                "system" => LogStream::System,
                _ => return Err(corrupt("log_lines")(BadColumn("stream"))),
            },
            text: LogText::from(text.as_str()),
        })
    }
}
