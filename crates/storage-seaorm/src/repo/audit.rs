//! The audit log in SQL.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter};
use windlass_auth::{Actor, AuditEntry, AuditEntryId, AuditObject, AuditOutcome, CredentialKind};
use windlass_domain::{EnvironmentId, OrganizationId, Page, PageRequest, ProjectId, UserId};
use windlass_storage::{AuditFilter, AuditRepo, StoreError};

use self::row::{ActiveModel, Column, Entity, Model};
use super::{Repo, from_stored, required};
use crate::error::{BadColumn, corrupt, store_error};

const TABLE: &str = "audit_log";
/// The kinds of actors that present no credential.
const PERSON: &str = "person";
const OPERATOR: &str = "operator";
const FORGE: &str = "forge";
const PLATFORM: &str = "platform";

#[async_trait]
impl AuditRepo for Repo<'_> {
    #[tracing::instrument(name = "db.audit.append", level = "debug", skip_all, fields(count = entries.len()))]
    async fn append(&mut self, entries: &[AuditEntry]) -> Result<(), StoreError> {
        let rows = entries.iter().map(|entry| ActiveModel::from(Model::from(entry)));
        if entries.is_empty() {
            return Ok(());
        }
        Entity::insert_many(rows).exec_without_returning(&self.db).await.map_err(store_error)?;
        Ok(())
    }

    #[tracing::instrument(name = "db.audit.list", level = "debug", skip(self))]
    async fn list(
        &mut self,
        organization: OrganizationId,
        filter: &AuditFilter,
        page: PageRequest<AuditEntryId>,
    ) -> Result<Page<AuditEntry>, StoreError> {
        let query = Entity::find()
            .filter(Column::OrganizationId.eq(organization.to_uuid()))
            .filter(condition(filter));
        self.list_page(query, Column::Id, page).await
    }

    #[tracing::instrument(name = "db.audit.prune", level = "debug", skip(self))]
    async fn prune_of_everyone(&mut self, before: DateTime<Utc>) -> Result<(), StoreError> {
        let old =
            Entity::delete_many().filter(Column::Id.lt(AuditEntryId::least_at(before).to_uuid()));
        old.exec(&self.db).await.map_err(store_error)?;
        Ok(())
    }
}

/// Times are looked up by identifiers, which are indexed and have them to the millisecond.
fn condition(filter: &AuditFilter) -> Condition {
    let AuditFilter { actor, action, outcome, target, from, to } = filter;
    let mut all = Condition::all();
    if let Some(actor) = actor {
        // No identifier of a person is one of a credential.
        all = all.add(if actor.starts_with("usr_") {
            Column::UserId.eq(actor)
        } else {
            Column::CredentialId.eq(actor)
        });
    }
    if let Some(action) = action {
        all = all.add(Column::Action.eq(action));
    }
    if let Some(outcome) = outcome {
        all = all.add(Column::Outcome.eq(outcome.name()));
    }
    if let Some(target) = target {
        all = all.add(Column::TargetId.eq(target));
    }
    if let Some(from) = from {
        let least = AuditEntryId::least_at(*from).to_uuid();
        all = all.add(Column::Id.gte(least)).add(Column::At.gte(*from));
    }
    if let Some(to) = to {
        let least = AuditEntryId::least_at(*to + chrono::TimeDelta::milliseconds(1)).to_uuid();
        all = all.add(Column::Id.lt(least)).add(Column::At.lt(*to));
    }
    all
}

mod row {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "audit_log")]
    pub(super) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub(super) id: Uuid,
        pub(super) organization_id: Uuid,
        pub(super) at: DateTimeUtc,
        pub(super) actor_kind: Option<String>,
        pub(super) user_id: Option<String>,
        pub(super) credential_id: Option<String>,
        pub(super) label: Option<String>,
        pub(super) action: String,
        pub(super) permission: Option<String>,
        pub(super) target_kind: Option<String>,
        pub(super) target_id: Option<String>,
        pub(super) project_id: Option<Uuid>,
        pub(super) environment_id: Option<Uuid>,
        pub(super) outcome: String,
        pub(super) times: i64,
        pub(super) request_id: Option<String>,
        pub(super) address: Option<String>,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

/// The columns of an actor.
#[derive(Default)]
struct ActorColumns {
    kind: Option<String>,
    user_id: Option<String>,
    credential_id: Option<String>,
    label: Option<String>,
}

impl From<&Actor> for ActorColumns {
    fn from(actor: &Actor) -> Self {
        match actor {
            Actor::Credential { kind, id, user_id, label } => Self {
                kind: Some(kind.name().to_owned()),
                user_id: Some(user_id.to_string()),
                credential_id: Some(id.clone()),
                label: Some(label.clone()),
            },
            Actor::Person(user_id) => Self {
                kind: Some(PERSON.to_owned()),
                user_id: Some(user_id.to_string()),
                ..Self::default()
            },
            Actor::Operator => Self { kind: Some(OPERATOR.to_owned()), ..Self::default() },
            Actor::Forge { label } => {
                Self { kind: Some(FORGE.to_owned()), label: Some(label.clone()), ..Self::default() }
            }
            Actor::Platform => Self { kind: Some(PLATFORM.to_owned()), ..Self::default() },
        }
    }
}

impl ActorColumns {
    fn actor(self) -> Result<Option<Actor>, StoreError> {
        let Self { kind, user_id, credential_id, label } = self;
        let Some(kind) = kind else { return Ok(None) };
        let user_id = || -> Result<UserId, StoreError> {
            required(user_id, TABLE, "user_id")?.parse().map_err(corrupt(TABLE))
        };
        let credential = [CredentialKind::ApiKey, CredentialKind::Token, CredentialKind::Session];
        let credential = credential.into_iter().find(|known| known.name() == kind);
        Ok(Some(match (credential, kind.as_str()) {
            (Some(kind), _) => Actor::Credential {
                kind,
                id: required(credential_id, TABLE, "credential_id")?,
                user_id: user_id()?,
                label: required(label, TABLE, "label")?,
            },
            (None, PERSON) => Actor::Person(user_id()?),
            (None, OPERATOR) => Actor::Operator,
            (None, FORGE) => Actor::Forge { label: required(label, TABLE, "label")? },
            (None, PLATFORM) => Actor::Platform,
            (None, _) => return Err(corrupt(TABLE)(BadColumn("actor_kind"))),
        }))
    }
}

impl From<&AuditEntry> for Model {
    fn from(entry: &AuditEntry) -> Self {
        let AuditEntry {
            id,
            organization_id,
            at,
            actor,
            action,
            permission,
            object,
            outcome,
            times,
            request_id,
            address,
        } = entry;
        let ActorColumns { kind, user_id, credential_id, label } =
            actor.as_ref().map(ActorColumns::from).unwrap_or_default();
        let object = object.as_ref();
        Self {
            id: id.to_uuid(),
            organization_id: organization_id.to_uuid(),
            at: *at,
            actor_kind: kind,
            user_id,
            credential_id,
            label,
            action: action.clone(),
            permission: permission.clone(),
            target_kind: object.map(|object| object.kind.clone()),
            target_id: object.map(|object| object.id.clone()),
            project_id: object.and_then(|object| object.project_id).map(ProjectId::to_uuid),
            environment_id: object
                .and_then(|object| object.environment_id)
                .map(EnvironmentId::to_uuid),
            outcome: outcome.name().to_owned(),
            times: i64::from(*times),
            request_id: request_id.clone(),
            address: address.map(|address| address.to_string()),
        }
    }
}

impl TryFrom<Model> for AuditEntry {
    type Error = StoreError;

    fn try_from(row: Model) -> Result<Self, Self::Error> {
        let Model {
            id,
            organization_id,
            at,
            actor_kind,
            user_id,
            credential_id,
            label,
            action,
            permission,
            target_kind,
            target_id,
            project_id,
            environment_id,
            outcome,
            times,
            request_id,
            address,
        } = row;
        let object = target_kind.zip(target_id).map(|(kind, id)| AuditObject {
            kind,
            id,
            project_id: project_id.map(ProjectId::from_uuid),
            environment_id: environment_id.map(EnvironmentId::from_uuid),
        });
        Ok(Self {
            id: AuditEntryId::from_uuid(id),
            organization_id: OrganizationId::from_uuid(organization_id),
            at,
            actor: ActorColumns { kind: actor_kind, user_id, credential_id, label }.actor()?,
            action,
            permission,
            object,
            outcome: outcome.parse::<AuditOutcome>().map_err(corrupt(TABLE))?,
            times: from_stored(times, TABLE, "times")?,
            request_id,
            address: address.map(|text| text.parse()).transpose().map_err(corrupt(TABLE))?,
        })
    }
}
