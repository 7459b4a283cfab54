//! The row of a job and its conversions.

use sea_orm::entity::prelude::*;
use windlass_domain::{EnvironmentId, Job, JobId, JobState, OrganizationId, WorkerId};
use windlass_storage::StoreError;

use super::super::{from_stored, required, to_stored};
use crate::error::{BadColumn, corrupt};

pub(super) const TABLE: &str = "jobs";

#[sea_orm::model]
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "jobs")]
pub(super) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(super) id: Uuid,
    pub(super) organization_id: Uuid,
    pub(super) lane: Option<Uuid>,
    pub(super) kind: String,
    pub(super) attempts: i32,
    pub(super) max_attempts: i32,
    pub(super) fence: i64,
    pub(super) state: String,
    pub(super) run_at: Option<DateTimeUtc>,
    pub(super) worker: Option<String>,
    pub(super) leased_until: Option<DateTimeUtc>,
    pub(super) ended_at: Option<DateTimeUtc>,
    pub(super) reason: Option<String>,
    pub(super) request_id: Option<String>,
    pub(super) created_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}

impl TryFrom<&Job> for Model {
    type Error = StoreError;

    fn try_from(job: &Job) -> Result<Self, Self::Error> {
        let Job {
            id,
            organization_id,
            lane,
            kind,
            attempts,
            max_attempts,
            fence,
            state,
            request_id,
            created_at,
        } = job;
        let row = Self {
            id: id.to_uuid(),
            organization_id: organization_id.to_uuid(),
            lane: lane.map(EnvironmentId::to_uuid),
            kind: serde_json::to_string(kind).map_err(corrupt(TABLE))?,
            attempts: i32::try_from(*attempts).unwrap_or(i32::MAX),
            max_attempts: i32::try_from(*max_attempts).unwrap_or(i32::MAX),
            fence: to_stored(*fence),
            state: state.name().to_owned(),
            run_at: None,
            worker: None,
            leased_until: None,
            ended_at: None,
            reason: None,
            request_id: request_id.clone(),
            created_at: *created_at,
        };
        Ok(match state {
            JobState::Queued { run_at, last_error } => {
                Self { run_at: Some(*run_at), reason: last_error.clone(), ..row }
            }
            JobState::Leased { worker, until } => {
                let worker = Some(worker.as_str().to_owned());
                Self { worker, leased_until: Some(*until), ..row }
            }
            JobState::Succeeded { at } => Self { ended_at: Some(*at), ..row },
            JobState::Dead { at, reason } | JobState::Cancelled { at, reason } => {
                Self { ended_at: Some(*at), reason: Some(reason.clone()), ..row }
            }
        })
    }
}

impl TryFrom<Model> for Job {
    type Error = StoreError;

    fn try_from(row: Model) -> Result<Self, Self::Error> {
        let Model {
            id,
            organization_id,
            lane,
            kind,
            attempts,
            max_attempts,
            fence,
            state,
            run_at,
            worker,
            leased_until,
            ended_at,
            reason,
            request_id,
            created_at,
        } = row;
        let ended = || required(ended_at, TABLE, "ended_at");
        Ok(Self {
            id: JobId::from_uuid(id),
            organization_id: OrganizationId::from_uuid(organization_id),
            lane: lane.map(EnvironmentId::from_uuid),
            kind: serde_json::from_str(&kind).map_err(corrupt(TABLE))?,
            attempts: from_stored(attempts.into(), TABLE, "attempts")?,
            max_attempts: from_stored(max_attempts.into(), TABLE, "max_attempts")?,
            fence: from_stored(fence, TABLE, "fence")?,
            state: match state.as_str() {
                "queued" => JobState::Queued {
                    run_at: required(run_at, TABLE, "run_at")?,
                    last_error: reason,
                },
                "leased" => JobState::Leased {
                    worker: WorkerId::new(required(worker, TABLE, "worker")?),
                    until: required(leased_until, TABLE, "leased_until")?,
                },
                "succeeded" => JobState::Succeeded { at: ended()? },
                "dead" => {
                    let reason = required(reason, TABLE, "reason")?;
                    JobState::Dead { at: ended()?, reason }
                }
                "cancelled" => {
                    let reason = required(reason, TABLE, "reason")?;
                    JobState::Cancelled { at: ended()?, reason }
                }
                _ => return Err(corrupt(TABLE)(BadColumn("state"))),
            },
            request_id,
            created_at,
        })
    }
}
