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

use super::leaves::Leaf;
use crate::domain::catalogue::{Catalogue, CatalogueEntry};

thread_local! {
    /// The catalogue of the schema that this thread builds: the engine asks a type for its values
    /// without any context.
    static BUILDING: RefCell<Option<Source>> = const { RefCell::new(None) };
}

/// The permissions, and how their texts are written.
type Source = (Arc<Catalogue>, fn(&CatalogueEntry) -> Texts);

/// What people read about a permission.
pub(super) struct Texts {
    pub(super) description: String,
    /// Why it is deprecated, if it is.
    pub(super) deprecated: Option<String>,
}

impl Texts {
    /// As the catalogue has them.
    pub(super) fn of(entry: &CatalogueEntry) -> Self {
        let CatalogueEntry { description, deprecated, .. } = entry;
        Self { description: description.clone(), deprecated: deprecated.clone() }
    }
}

/// Runs `build` with this catalogue as the source of the enum's values, and `texts` as what people
/// read about them.
pub(super) fn with_catalogue<T>(
    catalogue: &Arc<Catalogue>,
    texts: fn(&CatalogueEntry) -> Texts,
    build: impl FnOnce() -> T,
) -> T {
    BUILDING.set(Some((Arc::clone(catalogue), texts)));
    let built = build();
    BUILDING.set(None);
    built
}

/// A value of the enum, by its GraphQL name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Permission(Name);

impl Permission {
    /// The value of a catalogue entry.
    pub(super) fn of(entry: &CatalogueEntry) -> Self {
        Self(Name::new(&entry.enum_name))
    }

    /// The dotted code. A name that is not in the catalogue is passed on unchanged, to be refused.
    pub(super) fn code(&self, catalogue: &Catalogue) -> String {
        let entry = catalogue.by_name(&self.0);
        entry.map_or_else(|| self.0.to_string(), |entry| entry.code.to_string())
    }
}

fn register(registry: &mut Registry) -> String {
    registry.create_input_type::<Permission, _>(MetaTypeId::Enum, |_| {
        let values = BUILDING.with_borrow(|source| {
            let entries = source.iter().flat_map(|(catalogue, texts)| {
                catalogue.entries().iter().map(|entry| value(entry, texts(entry)))
            });
            entries.collect::<IndexMap<_, _>>()
        });
        let description = "What a token may do. The values are the permissions that this server \
                           knows; `permissions` describes each of them.";
        EnumBuilder::new("Permission", values)
            .description(Some(description.to_owned()))
            .rust_typename(std::any::type_name::<Permission>())
            .build()
    })
}

fn value(entry: &CatalogueEntry, texts: Texts) -> (String, MetaEnumValue) {
    let mut value = MetaEnumValue::new(entry.enum_name.clone());
    value.description = Some(texts.description);
    if texts.deprecated.is_some() {
        value.deprecation = Deprecation::Deprecated { reason: texts.deprecated };
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
            Value::Enum(name) => Ok(Self(name)),
            // Variables arrive as JSON, which has no enums.
            Value::String(name) => Ok(Self(Name::new(name))),
            other => Err(InputValueError::expected_type(other)),
        }
    }

    fn to_value(&self) -> Value {
        Value::Enum(self.0.clone())
    }

    fn as_raw_value(&self) -> Option<&Self> {
        Some(self)
    }
}

impl Leaf for Permission {
    fn value(&self) -> Value {
        Value::Enum(self.0.clone())
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
        Ok(self.value())
    }
}
