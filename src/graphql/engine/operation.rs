//! An operation of a valid document, and its translation into the engine's own tree.

mod coercion;
mod lowering;
mod values;
mod variables;

use std::sync::Arc;

use apollo_compiler::ast::OperationType;
use apollo_compiler::executable::VariableDefinition;
use apollo_compiler::validation::Valid;
use apollo_compiler::{ExecutableDocument, Name, Node, Schema, executable};
use async_graphql::parser::types::{OperationDefinition, Selection};
use async_graphql::{Positioned, Variables};
use serde_json::{Map, Value};

use self::lowering::{Lowering, Stop};
use super::limits::{Limit, MAX_MUTATION_LISTS};
use super::lines::Lines;
use super::request_error::RequestError;

/// An operation of a valid document.
pub(super) struct Operation {
    name: Option<Name>,
    operation_type: OperationType,
    variables: Vec<Node<VariableDefinition>>,
    plan: Plan,
    lines: Arc<Lines>,
}

/// An operation in the engine's own tree, and the values of its variables.
#[derive(Clone)]
pub(super) struct Ready {
    pub(super) definition: Positioned<OperationDefinition>,
    pub(super) variables: Variables,
    pub(super) selected: Selected,
}

impl Ready {
    /// Are all its root fields among these?
    pub(super) fn selects_only(&self, names: &[&str]) -> bool {
        self.definition.node.selection_set.node.items.iter().all(|item| match &item.node {
            Selection::Field(field) => names.contains(&field.node.name.node.as_str()),
            Selection::FragmentSpread(_) | Selection::InlineFragment(_) => false,
        })
    }
}

/// How much an operation selects.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Selected {
    /// Fields, fragments expanded.
    pub(super) fields: usize,
    /// Those of them that are lists of values.
    pub(super) lists: usize,
    /// The values of the others in the answer to a mutation, at most, each counted as often as it
    /// is as long as a name.
    pub(super) values: usize,
}

enum Plan {
    /// No condition depends on a variable: lowered once.
    Fixed {
        lowered: Result<Box<Positioned<OperationDefinition>>, RequestError>,
        selected: Selected,
    },
    /// Lowered for each request.
    ByVariables(Node<executable::Operation>, Arc<Valid<ExecutableDocument>>),
}

impl Operation {
    /// The operations of a valid document.
    pub(super) fn all(
        schema: &Valid<Schema>,
        document: &Arc<Valid<ExecutableDocument>>,
        lines: &Arc<Lines>,
    ) -> Vec<Self> {
        let operations = document.operations.iter();
        operations.map(|operation| Self::new(operation, schema, document, lines)).collect()
    }

    fn new(
        operation: &Node<executable::Operation>,
        schema: &Valid<Schema>,
        document: &Arc<Valid<ExecutableDocument>>,
        lines: &Arc<Lines>,
    ) -> Self {
        let lowering = Lowering::new(schema, document, lines, None);
        let lowered = lowering.operation(operation);
        let selected = lowering.selected();
        let plan = match lowered {
            Ok(lowered) => Plan::Fixed { lowered: Ok(Box::new(lowered)), selected },
            Err(Stop::Refused(error)) => Plan::Fixed { lowered: Err(error), selected },
            Err(Stop::DependsOnVariables) => {
                Plan::ByVariables(operation.clone(), Arc::clone(document))
            }
        };
        Self {
            name: operation.name.clone(),
            operation_type: operation.operation_type,
            variables: operation.variables.clone(),
            plan,
            lines: Arc::clone(lines),
        }
    }

    pub(super) fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    pub(super) fn is_subscription(&self) -> bool {
        self.operation_type == OperationType::Subscription
    }

    pub(super) fn is_mutation(&self) -> bool {
        self.operation_type == OperationType::Mutation
    }

    /// How many selections are kept ready to run.
    pub(super) const fn size(&self) -> usize {
        match &self.plan {
            Plan::Fixed { selected, .. } => selected.fields,
            Plan::ByVariables(..) => 0,
        }
    }

    /// The operation ready to run with the variables that the client gave.
    ///
    /// # Errors
    /// When a value does not fit its variable, a condition is null, two fields with one response
    /// key differ, or a mutation selects too many lists.
    pub(super) fn ready(
        &self,
        given: Map<String, Value>,
        schema: &Valid<Schema>,
    ) -> Result<Ready, Vec<RequestError>> {
        let variables = variables::coerce(&self.variables, given, schema, &self.lines)?;
        let (definition, selected) = match &self.plan {
            Plan::Fixed { lowered, selected } => {
                (lowered.as_deref().cloned().map_err(Clone::clone), *selected)
            }
            Plan::ByVariables(operation, document) => {
                let lowering = Lowering::new(schema, document, &self.lines, Some(&variables));
                let lowered = lowering.operation(operation).map_err(|stop| match stop {
                    Stop::Refused(error) => error,
                    // A variable of a condition is of `Boolean!`: it has a value, or coercion
                    // refuses it.
                    Stop::DependsOnVariables => RequestError::null_condition(None),
                });
                (lowered, lowering.selected())
            }
        };
        let definition = definition.map_err(|error| vec![error])?;
        if self.is_mutation() && selected.lists > MAX_MUTATION_LISTS {
            return Err(vec![RequestError::Limit(Limit::MutationLists)]);
        }
        Ok(Ready { definition, variables, selected })
    }
}
