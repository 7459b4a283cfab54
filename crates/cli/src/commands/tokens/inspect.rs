//! `windlass tokens inspect`

use clap::Args;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use windlass_auth::{InspectedBlock, Inspection, inspect};

use crate::{
    context::Context,
    failure::{Failure, Result},
    input, output,
};

/// Show what stands in a token, offline. Nobody has verified it then.
///
/// The token is asked for unseen, or read from standard input.
#[derive(Debug, Args)]
pub(crate) struct Inspect {}

impl Inspect {
    pub(super) fn run(self, context: &Context) -> Result<()> {
        let Self {} = self;
        let token = input::secret("Token to look into: ")?;
        let inspection =
            inspect(token.expose_secret()).map_err(|err| Failure::Usage(err.to_string()))?;
        if context.output.is_json() { output::json(&json(&inspection)) } else { show(&inspection) }
    }
}

fn json(inspection: &Inspection) -> Value {
    let Inspection { root_key, is_sealed, expires_at, blocks } = inspection;
    let blocks: Vec<_> = blocks
        .iter()
        .map(|InspectedBlock { source, revocation_id, external_key }| {
            json!({ "source": source, "revocation_id": revocation_id, "external_key": external_key })
        })
        .collect();
    json!({ "root_key": root_key, "sealed": is_sealed, "expires_at": expires_at, "blocks": blocks })
}

fn show(inspection: &Inspection) -> Result<()> {
    let Inspection { root_key, is_sealed, expires_at, blocks } = inspection;
    let key = root_key.map_or_else(|| "none".to_owned(), |number| number.to_string());
    let end = expires_at.map_or_else(|| "unknown".to_owned(), |end| end.to_string());
    let sealed = if *is_sealed { "yes" } else { "no" };
    output::text(format_args!("root key  {key}\nexpires   {end}\nsealed    {sealed}"))?;
    for (number, block) in blocks.iter().enumerate() {
        output::text(format_args!("\nblock {number}, revocation id {}", block.revocation_id))?;
        if let Some(key) = &block.external_key {
            output::text(format_args!("  signed by {key}, too"))?;
        }
        // Whoever has made it may have written anything into it.
        for line in block.source.lines() {
            output::text(format_args!("  {}", output::safe_line(line)))?;
        }
    }
    Ok(())
}
