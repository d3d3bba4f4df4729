//! Lists of scalars and enum values.

use std::borrow::Cow;

use async_graphql::parser::types::Field;
use async_graphql::registry::Registry;
use async_graphql::{ContextSelectionSet, OutputType, Positioned, ServerResult, Value};

use crate::graphql::engine::budget::SharedBudget;

/// A scalar or an enum value.
pub(super) trait Leaf: OutputType {
    /// The value as it is answered.
    fn value(&self) -> Value;
}

/// A list whose elements are written in one go. The engine makes a future for each element.
pub(super) struct Leaves<T>(Vec<T>);

impl<T> FromIterator<T> for Leaves<T> {
    fn from_iter<I: IntoIterator<Item = T>>(elements: I) -> Self {
        Self(elements.into_iter().collect())
    }
}

impl<T: Leaf> OutputType for Leaves<T> {
    fn type_name() -> Cow<'static, str> {
        Vec::<T>::type_name()
    }

    fn qualified_type_name() -> String {
        <Vec<T> as OutputType>::qualified_type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        <Vec<T> as OutputType>::create_type_info(registry)
    }

    async fn resolve(
        &self,
        ctx: &ContextSelectionSet<'_>,
        _: &Positioned<Field>,
    ) -> ServerResult<Value> {
        let values: Vec<Value> = self.0.iter().map(Leaf::value).collect();
        if let Some(budget) = ctx.data_opt::<SharedBudget>() {
            values.iter().for_each(|value| budget.draw(value));
        }
        Ok(Value::List(values))
    }
}
