//! The names of permissions, for the API's description.

use std::borrow::Cow;

use utoipa::{
    PartialSchema, ToSchema,
    openapi::{ObjectBuilder, RefOr, Schema, Type},
};
use windlass_auth::Permission;

/// The name of a permission.
pub(crate) struct PermissionName;

impl PartialSchema for PermissionName {
    fn schema() -> RefOr<Schema> {
        let names = ObjectBuilder::new()
            .schema_type(Type::String)
            .enum_values(Some(Permission::ALL.map(Permission::name)))
            .description(Some("The right to do one kind of thing."));
        RefOr::T(Schema::Object(names.build()))
    }
}

impl ToSchema for PermissionName {
    fn name() -> Cow<'static, str> {
        "Permission".into()
    }
}
