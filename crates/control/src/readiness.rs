//! Whether the server can do its work now.

use crate::{Causes, Control};

/// Whether the parts that every request needs are there. Each error is for the operator.
#[derive(Debug)]
pub struct Readiness {
    /// The database answers.
    pub database: Result<(), String>,
    /// The engine can build and run.
    pub engine: Result<(), String>,
}

/// Looks whether the server can do its work now.
pub async fn check_readiness(control: &Control) -> Readiness {
    let database = async {
        let mut uow = control.store().read().await?;
        uow.organizations().first_of_everyone().await
    };
    let (database, engine) = tokio::join!(database, control.engine().check());
    if let Err(err) = &database {
        tracing::warn!(error = %Causes(err), "the database is not ready");
    }
    if let Err(err) = &engine {
        tracing::warn!(error = %Causes(err), "the engine is not ready");
    }
    Readiness {
        database: database.map(|_| ()).map_err(|err| err.to_string()),
        engine: engine.map_err(|err| err.to_string()),
    }
}
