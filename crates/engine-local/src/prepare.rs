//! Fetching the source and finding out how it is built: done inside the confinement, because what
//! is read was written by others.

use std::path::Path;

use serde::{Deserialize, Serialize};
use windlass_engine_kit::{
    checkout::{CheckoutError, CheckoutOrder, check_out},
    order::RecipeOrder,
    recognise::{Dockerfiles, Plan, recognise},
};

use crate::record::Start;

/// What is to be prepared.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct PrepareOrder {
    pub(crate) checkout: CheckoutOrder,
    pub(crate) recipe: RecipeOrder,
}

/// What came of it.
#[derive(Serialize, Deserialize)]
pub(crate) enum Prepared {
    /// This is to be done.
    Ready { build: Option<String>, start: Start },
    /// The repository or its settings cannot be built.
    Refused(String),
    /// Something outside is not there now.
    Unavailable(String),
    /// It went wrong here.
    Failed(String),
}

impl From<CheckoutError> for Prepared {
    fn from(error: CheckoutError) -> Self {
        match error {
            CheckoutError::Refused(text) => Self::Refused(text),
            CheckoutError::Unavailable(text) => Self::Unavailable(text),
            CheckoutError::Failed(text) => Self::Failed(text),
        }
    }
}

/// Fills the workspace.
pub(crate) async fn prepare(order: &PrepareOrder, workspace: &Path) -> Prepared {
    if let Err(error) = check_out(&order.checkout, workspace).await {
        return error.into();
    }
    match recognise(workspace, &order.recipe, Dockerfiles::NeedAnotherEngine) {
        Ok(Plan { folder, paths, build, start, .. }) => {
            let CheckoutOrder { branch, commit, .. } = order.checkout.clone();
            Prepared::Ready { build, start: Start { folder, paths, how: start, branch, commit } }
        }
        Err(reason) => Prepared::Refused(reason),
    }
}
