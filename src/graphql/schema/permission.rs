//! The `Permission` enum. Its values come from the catalogue, so they are known when the schema is
//! built and not when this is compiled.

use std::borrow::Cow;
use std::cell::RefCell;
use std::sync::Arc;

use async_graphql::indexmap::IndexMap;
use async_graphql::parser::types::Field;
use async_graphql::registry::{Deprecation, EnumBuilder, MetaEnumValue, MetaTypeId, Registry};
use async_graphql::{
    ContextSelectionSet, InputType, InputValueError, InputValueResult, Name, OutputType,
    Positioned, ServerResult, Value,
};

use crate::domain::catalogue::{Catalogue, CatalogueEntry};

thread_local! {
    /// The catalogue of the schema that this thread builds: the engine asks a type for its values
    /// without any context.
    static BUILDING: RefCell<Option<Arc<Catalogue>>> = const { RefCell::new(None) };
}

/// Runs `build` with this catalogue as the source of the enum's values.
pub(super) fn with_catalogue<T>(catalogue: &Arc<Catalogue>, build: impl FnOnce() -> T) -> T {
    BUILDING.set(Some(Arc::clone(catalogue)));
    let built = build();
    BUILDING.set(None);
    built
}

/// A value of the enum, by its GraphQL name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Permission(String);

impl Permission {
    /// The value of a catalogue entry.
    pub(super) fn of(entry: &CatalogueEntry) -> Self {
        Self(entry.enum_name.clone())
    }

    /// The dotted code. A name that is not in the catalogue is passed on unchanged, to be refused.
    pub(super) fn code(&self, catalogue: &Catalogue) -> String {
        let entry = catalogue.by_name(&self.0);
        entry.map_or_else(|| self.0.clone(), |entry| entry.code.to_string())
    }
}

fn register(registry: &mut Registry) -> String {
    registry.create_input_type::<Permission, _>(MetaTypeId::Enum, |_| {
        let values = BUILDING.with_borrow(|catalogue| {
            let entries = catalogue.iter().flat_map(|catalogue| catalogue.entries());
            entries.map(value).collect::<IndexMap<_, _>>()
        });
        let description = "What a token may do. The values are the permissions that this server \
                           knows; `permissions` describes each of them.";
        EnumBuilder::new("Permission", values)
            .description(Some(description.to_owned()))
            .rust_typename(std::any::type_name::<Permission>())
            .build()
    })
}

fn value(entry: &CatalogueEntry) -> (String, MetaEnumValue) {
    let mut value = MetaEnumValue::new(entry.enum_name.clone());
    value.description = Some(entry.description.clone());
    if let Some(reason) = &entry.deprecated {
        value.deprecation = Deprecation::Deprecated { reason: Some(reason.clone()) };
    }
    (entry.enum_name.clone(), value)
}

impl InputType for Permission {
    type RawValueType = Self;

    fn type_name() -> Cow<'static, str> {
        Cow::Borrowed("Permission")
    }

    fn create_type_info(registry: &mut Registry) -> String {
        register(registry)
    }

    fn parse(value: Option<Value>) -> InputValueResult<Self> {
        match value.unwrap_or_default() {
            Value::Enum(name) => Ok(Self(name.to_string())),
            // Variables arrive as JSON, which has no enums.
            Value::String(name) => Ok(Self(name)),
            other => Err(InputValueError::expected_type(other)),
        }
    }

    fn to_value(&self) -> Value {
        Value::Enum(Name::new(&self.0))
    }

    fn as_raw_value(&self) -> Option<&Self> {
        Some(self)
    }
}

impl OutputType for Permission {
    fn type_name() -> Cow<'static, str> {
        Cow::Borrowed("Permission")
    }

    fn create_type_info(registry: &mut Registry) -> String {
        register(registry)
    }

    async fn resolve(
        &self,
        _: &ContextSelectionSet<'_>,
        _: &Positioned<Field>,
    ) -> ServerResult<Value> {
        Ok(Value::Enum(Name::new(&self.0)))
    }
}
