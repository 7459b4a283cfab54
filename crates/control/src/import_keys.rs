//! Keys that were made elsewhere move in.

use std::collections::BTreeMap;

use windlass_auth::{
    ApiKeyId, AuditObject, ImportError, ImportedFormat, ImportedKey, Membership, import,
};
use windlass_domain::{Effects, OrganizationId, UserId};
use windlass_storage::{Signal, Store, StoreError, UnitOfWork};

use crate::audit::{self, Deed};

/// How many keys are stored together.
const BATCH: usize = 100;

/// A key that is to move in, and whose it is to be.
#[derive(Debug, Clone)]
pub struct Newcomer {
    /// The key.
    pub key: ImportedKey,
    /// Whose it is to be; the organization's first owner where nobody is named.
    pub owner: Option<UserId>,
}

/// What became of a newcomer.
#[derive(Debug)]
pub enum Arrival {
    /// It works from now on.
    Imported(ApiKeyId),
    /// It was here already, and nothing has changed.
    Present(ApiKeyId),
    /// It is not let in.
    Refused(Refusal),
}

/// Why a key is not let in.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// It cannot be a key of ours.
    #[error(transparent)]
    Import(#[from] ImportError),
    /// The person is not in the organization.
    #[error("{0} is no member of the organization")]
    Stranger(UserId),
    /// There is nobody to whom it could belong.
    #[error("the organization has no owner: name whose key it is")]
    NoOwner,
    /// It is bound to a project that is not there.
    #[error("the organization has no project {0}")]
    NoProject(windlass_domain::ProjectId),
    /// Another organization has it.
    #[error("another organization has this key")]
    Elsewhere,
}

/// Lets keys in that were made elsewhere: they go on working as they are. One that is refused does
/// not keep the others out, and one that is here already is left alone.
///
/// For the operator, who has the database: servers that are running need not be told.
pub async fn import_keys(
    store: &dyn Store,
    organization: OrganizationId,
    newcomers: &[Newcomer],
    fx: Effects<'_>,
) -> Result<Vec<Arrival>, StoreError> {
    let shortest = shortest_starts(newcomers);
    let mut arrivals = Vec::with_capacity(newcomers.len());
    for batch in newcomers.chunks(BATCH) {
        let mut uow = store.write().await?;
        let formats = uow.imported_formats().list_of_everyone_for_update().await?;
        let formats = formats.into_iter().map(|format| (format.prefix.clone(), format)).collect();
        let mut import = Import { uow: &mut *uow, organization, shortest: &shortest, formats, fx };
        for newcomer in batch {
            arrivals.push(import.one(newcomer).await?);
        }
        uow.commit().await?;
    }
    Ok(arrivals)
}

/// By how many characters all newcomers of a prefix can be found.
fn shortest_starts(newcomers: &[Newcomer]) -> BTreeMap<String, usize> {
    let mut shortest = BTreeMap::new();
    for format in newcomers.iter().map(|newcomer| newcomer.key.format()) {
        let length = shortest.entry(format.prefix.clone()).or_insert(format.start_length);
        *length = format.start_length.min(*length);
    }
    shortest
}

struct Import<'a> {
    uow: &'a mut dyn UnitOfWork,
    organization: OrganizationId,
    shortest: &'a BTreeMap<String, usize>,
    formats: BTreeMap<String, ImportedFormat>,
    fx: Effects<'a>,
}

impl Import<'_> {
    async fn one(&mut self, newcomer: &Newcomer) -> Result<Arrival, StoreError> {
        let lookup = newcomer.key.lookup();
        let present = self.uow.api_keys().find_by_lookup_of_everyone(lookup).await?;
        if let Some(present) = present {
            return Ok(if present.organization_id == self.organization {
                Arrival::Present(present.id)
            } else {
                Arrival::Refused(Refusal::Elsewhere)
            });
        }
        match self.admit(newcomer).await {
            Ok(id) => Ok(Arrival::Imported(id)),
            Err(Stop::Refused(refusal)) => Ok(Arrival::Refused(refusal)),
            Err(Stop::Failed(err)) => Err(err),
        }
    }

    async fn admit(&mut self, newcomer: &Newcomer) -> Result<ApiKeyId, Stop> {
        let owner = self.owner(newcomer).await?;
        for project in newcomer.key.request().project_ids.iter().flatten() {
            if self.uow.projects().find(self.organization, *project).await?.is_none() {
                return Err(Refusal::NoProject(*project).into());
            }
        }
        let format = self.format(&newcomer.key).await?;
        let record = import(newcomer.key.clone(), owner, &format, self.fx)
            .map_err(|err| Stop::Refused(err.into()))?;
        self.uow.api_keys().insert(&record).await?;
        self.uow.imported_formats().put(&format).await?;
        let object = AuditObject::new(record.id);
        let deed = Deed::by_operator(self.organization, "import_keys", Some(object));
        audit::write_down(self.uow, deed, self.fx).await?;
        self.uow.signal(Signal::ApiKey(record.id));
        self.formats.insert(format.prefix.clone(), format);
        Ok(record.id)
    }

    async fn owner(&mut self, newcomer: &Newcomer) -> Result<Membership, Stop> {
        let organization_id = self.organization;
        let mut people = self.uow.organizations();
        let user_id = match newcomer.owner {
            Some(user) => user,
            None => people.first_owner(organization_id).await?.ok_or(Refusal::NoOwner)?,
        };
        let role = people.role_of(organization_id, user_id).await?;
        let role = role.ok_or(Refusal::Stranger(user_id))?;
        Ok(Membership { organization_id, user_id, role })
    }

    /// How keys of its prefix look once it is one of them.
    async fn format(&mut self, key: &ImportedKey) -> Result<ImportedFormat, Stop> {
        let own = key.format();
        let Some(known) = self.formats.get(&own.prefix) else {
            let shortest = self.shortest.get(&own.prefix).copied();
            let start_length = shortest.unwrap_or(own.start_length);
            return Ok(ImportedFormat { start_length, ..own.clone() });
        };
        let mut alike = 0;
        if let Some(start) = key.start_in(known) {
            alike = self.uow.api_keys().find_by_imported_start_of_everyone(start).await?.len();
        }
        known.and(key, alike).map_err(|err| Stop::Refused(err.into()))
    }
}

/// Why a key is not stored.
enum Stop {
    Refused(Refusal),
    Failed(StoreError),
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<StoreError> for Stop {
    fn from(err: StoreError) -> Self {
        Self::Failed(err)
    }
}
