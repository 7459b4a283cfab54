//! How requests are named that are carried out once.

use utoipa::openapi::{
    ObjectBuilder, Ref, RefOr, Required, Type,
    path::{Operation, ParameterBuilder, ParameterIn},
};

use super::response_name;
use crate::once::PATTERN;

const DESCRIPTION: &str = "\
A name for this request, such as a UUID: sent again with it within 24 hours, it is answered as \
before, with `Idempotency-Replayed: true`, and not carried out again";

/// Says it of an operation.
pub(crate) fn describe(operation: &mut Operation) {
    let text = ObjectBuilder::new().schema_type(Type::String).pattern(Some(PATTERN)).build();
    let name = ParameterBuilder::new()
        .name("Idempotency-Key")
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some(DESCRIPTION))
        .schema(Some(text))
        .build();
    operation.parameters.get_or_insert_default().push(RefOr::T(name));
    for status in ["409", "422"] {
        let shared = || RefOr::Ref(Ref::from_response_name(response_name(status)));
        operation.responses.responses.entry(status.to_owned()).or_insert_with(shared);
    }
}
