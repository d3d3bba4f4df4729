//! Lowers an operation into the engine's own tree, as the specification collects its fields:
//! conditions are evaluated, fragments resolved, fields with one response key merged, and what
//! cannot be reached is dropped.
//!
//! The engine runs a field as often as it is written. A mutation would run twice; the second run
//! would fail and remove the answer of the first.

use std::cell::Cell;
use std::collections::HashSet;

use apollo_compiler::executable::{
    DirectiveList, Field, Operation, OperationType, Selection, SelectionSet,
};
use apollo_compiler::parser::SourceSpan;
use apollo_compiler::validation::Valid;
use apollo_compiler::{ExecutableDocument, Node, Schema, ast};
use async_graphql::indexmap::IndexMap;
use async_graphql::parser::types as engine;
use async_graphql::{Name, Pos, Positioned, Value, Variables};

use super::{Selected, values};
use crate::domain::label::MAX_LABELS;
use crate::domain::{description, name};
use crate::graphql::engine::lines::Lines;
use crate::graphql::engine::request_error::{InputPlace, RequestError};

/// Why an operation is not lowered.
pub(super) enum Stop {
    /// A condition needs a variable, and the values are not known yet.
    DependsOnVariables,
    Refused(RequestError),
}

/// Fields by their response keys, in the order of their first appearance.
type Collected<'a> = IndexMap<&'a str, Vec<&'a Node<Field>>>;

/// What is needed to lower an operation.
pub(super) struct Lowering<'a> {
    schema: &'a Valid<Schema>,
    document: &'a Valid<ExecutableDocument>,
    lines: &'a Lines,
    /// `None`: not known yet.
    variables: Option<&'a Variables>,
    selected: Cell<Selected>,
    /// How often a field counts among the values: in each object of a list.
    times: Cell<usize>,
}

/// Most objects in a list of the answer to a mutation that changes something. The only such lists
/// are those of labels.
const OBJECTS: usize = MAX_LABELS;
/// The longest text of an answer to a mutation, and how many times as long as a name it is.
const LONGEST_TEXT: (&str, usize) = ("description", description::MAX_LENGTH / name::MAX_LENGTH);

impl<'a> Lowering<'a> {
    pub(super) fn new(
        schema: &'a Valid<Schema>,
        document: &'a Valid<ExecutableDocument>,
        lines: &'a Lines,
        variables: Option<&'a Variables>,
    ) -> Self {
        let selected = Cell::new(Selected::default());
        Self { schema, document, lines, variables, selected, times: Cell::new(1) }
    }

    /// How much is selected so far.
    pub(super) const fn selected(&self) -> Selected {
        self.selected.get()
    }

    pub(super) fn operation(
        &self,
        operation: &'a Node<Operation>,
    ) -> Result<Positioned<engine::OperationDefinition>, Stop> {
        let pos = self.pos(operation.location());
        let selections =
            self.selections(&operation.selection_set.ty, &[&operation.selection_set])?;
        let variables = operation.variables.iter().filter_map(|variable| {
            let pos = self.pos(variable.location());
            let definition = engine::VariableDefinition {
                name: Positioned::new(Name::new(&variable.name), pos),
                var_type: Positioned::new(engine::Type::new(&variable.ty.to_string())?, pos),
                directives: Vec::new(),
                // The values of variables come coerced, defaults included.
                default_value: None,
            };
            Some(Positioned::new(definition, pos))
        });
        let definition = engine::OperationDefinition {
            ty: match operation.operation_type {
                OperationType::Query => engine::OperationType::Query,
                OperationType::Mutation => engine::OperationType::Mutation,
                OperationType::Subscription => engine::OperationType::Subscription,
            },
            variable_definitions: variables.collect(),
            directives: Vec::new(),
            selection_set: set(selections, pos),
        };
        Ok(Positioned::new(definition, pos))
    }

    /// The sets of one object, merged. Where the object may be of several types that the fragments
    /// distinguish, there is one fragment for each type, with all that is selected of it.
    fn selections(
        &self,
        parent: &'a str,
        sets: &[&'a SelectionSet],
    ) -> Result<Vec<Positioned<engine::Selection>>, Stop> {
        if !sets.iter().any(|set| self.tells_types_apart(parent, set, &mut HashSet::new())) {
            return self.fields(parent, sets);
        }
        let mut fragments = Vec::new();
        for (name, ty) in &self.schema.types {
            if !ty.is_object() || !self.schema.is_subtype(parent, name) {
                continue;
            }
            let fields = self.fields(name, sets)?;
            let Some(pos) = fields.first().map(|field| field.pos) else { continue };
            let on = Positioned::new(Name::new(name), pos);
            let fragment = engine::InlineFragment {
                type_condition: Some(Positioned::new(engine::TypeCondition { on }, pos)),
                directives: Vec::new(),
                selection_set: set(fields, pos),
            };
            let fragment = Positioned::new(fragment, pos);
            fragments.push(Positioned::new(engine::Selection::InlineFragment(fragment), pos));
        }
        Ok(fragments)
    }

    fn fields(
        &self,
        parent: &'a str,
        sets: &[&'a SelectionSet],
    ) -> Result<Vec<Positioned<engine::Selection>>, Stop> {
        let mut collected = Collected::new();
        let mut spread = HashSet::new();
        for set in sets {
            self.collect(parent, set, &mut spread, &mut collected)?;
        }
        collected.into_values().map(|fields| self.field(&fields)).collect()
    }

    fn collect(
        &self,
        parent: &str,
        set: &'a SelectionSet,
        spread: &mut HashSet<&'a str>,
        collected: &mut Collected<'a>,
    ) -> Result<(), Stop> {
        for selection in &set.selections {
            if self.is_left_out(selection.directives())? {
                continue;
            }
            match selection {
                Selection::Field(field) => {
                    collected.entry(field.response_name().as_str()).or_default().push(field);
                }
                Selection::InlineFragment(inline) => {
                    let condition = inline.type_condition.as_deref();
                    if condition.is_none_or(|condition| self.applies(condition, parent)) {
                        self.collect(parent, &inline.selection_set, spread, collected)?;
                    }
                }
                Selection::FragmentSpread(node) => {
                    let Some(fragment) = self.document.fragments.get(&node.fragment_name) else {
                        continue;
                    };
                    // Once is enough: its fields would be merged.
                    if spread.insert(node.fragment_name.as_str())
                        && self.applies(fragment.type_condition(), parent)
                    {
                        self.collect(parent, &fragment.selection_set, spread, collected)?;
                    }
                }
            }
        }
        Ok(())
    }

    fn applies(&self, condition: &str, parent: &str) -> bool {
        condition == parent || self.schema.is_subtype(condition, parent)
    }

    /// Is there a fragment that holds for some objects of this abstract type only?
    fn tells_types_apart(
        &self,
        parent: &str,
        set: &'a SelectionSet,
        spread: &mut HashSet<&'a str>,
    ) -> bool {
        if self.schema.types.get(parent).is_some_and(|ty| ty.is_object()) {
            return false;
        }
        set.selections.iter().any(|selection| match selection {
            Selection::Field(_) => false,
            Selection::InlineFragment(inline) => {
                let condition = inline.type_condition.as_deref();
                condition.is_some_and(|condition| !self.applies(condition, parent))
                    || self.tells_types_apart(parent, &inline.selection_set, spread)
            }
            Selection::FragmentSpread(node) => {
                let fragment = self.document.fragments.get(&node.fragment_name);
                spread.insert(node.fragment_name.as_str())
                    && fragment.is_some_and(|fragment| {
                        !self.applies(fragment.type_condition(), parent)
                            || self.tells_types_apart(parent, &fragment.selection_set, spread)
                    })
            }
        })
    }

    /// Fields with one response key, as one field.
    fn field(&self, fields: &[&'a Node<Field>]) -> Result<Positioned<engine::Selection>, Stop> {
        let Some((first, others)) = fields.split_first() else {
            return Err(Stop::DependsOnVariables);
        };
        if let Some(other) = others.iter().find(|other| !same(first, other)) {
            return Err(Stop::Refused(self.conflict(first, other)));
        }
        let sets: Vec<_> = fields.iter().filter_map(|field| field.selection_set.as_ref()).collect();
        let times = self.times.get();
        self.count(first, times);
        let pos = self.pos(first.location());
        if first.ty().is_list() {
            self.times.set(times.saturating_mul(OBJECTS));
        }
        let selections = self.selections(first.ty().inner_named_type(), &sets);
        self.times.set(times);
        let selections = selections?;
        let arguments = first.arguments.iter().map(|argument| {
            let pos = self.pos(argument.location());
            let name = Positioned::new(Name::new(&argument.name), pos);
            (name, Positioned::new(values::lowered(&argument.value), pos))
        });
        let field = engine::Field {
            alias: first.alias.as_ref().map(|alias| Positioned::new(Name::new(alias), pos)),
            name: Positioned::new(Name::new(&first.name), pos),
            arguments: arguments.collect(),
            directives: Vec::new(),
            selection_set: set(selections, pos),
        };
        Ok(Positioned::new(engine::Selection::Field(Positioned::new(field, pos)), pos))
    }

    /// Counts a field that is selected in so many objects.
    fn count(&self, field: &Field, times: usize) {
        let Selected { fields, lists, values } = self.selected.get();
        let (longest, length) = LONGEST_TEXT;
        let length = if field.name == longest { length } else { 1 };
        let is_list_of_values = field.ty().is_list() && field.selection_set.is_none();
        self.selected.set(Selected {
            fields: fields + 1,
            lists: lists + usize::from(is_list_of_values),
            values: values.saturating_add(times.saturating_mul(length)),
        });
    }

    /// The library treats a list as equal to a longer one that starts with it.
    fn conflict(&self, first: &Node<Field>, other: &Node<Field>) -> RequestError {
        let message = format!(
            "Fields \"{}\" conflict because they are different fields or have differing arguments. \
             Use different aliases to fetch both.",
            first.response_name()
        );
        let places = vec![self.pos(first.location()), self.pos(other.location())];
        RequestError::Invalid { message, at: InputPlace::default(), places }
    }

    /// Do `@skip` or `@include` leave the selection out?
    fn is_left_out(&self, directives: &DirectiveList) -> Result<bool, Stop> {
        for directive in directives.iter() {
            let leaves_out = match directive.name.as_str() {
                "skip" => true,
                "include" => false,
                _ => continue,
            };
            let condition = directive.specified_argument_by_name("if");
            let holds = match condition.map(|value| &**value) {
                Some(ast::Value::Boolean(holds)) => Some(*holds),
                Some(ast::Value::Variable(name)) => {
                    let variables = self.variables.ok_or(Stop::DependsOnVariables)?;
                    match variables.get(name.as_str()) {
                        Some(Value::Boolean(holds)) => Some(*holds),
                        _ => None,
                    }
                }
                _ => None,
            };
            // A variable with a default may be null all the same.
            let Some(holds) = holds else {
                let pos = self.pos(directive.location());
                return Err(Stop::Refused(RequestError::null_condition(Some(pos))));
            };
            if holds == leaves_out {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn pos(&self, span: Option<SourceSpan>) -> Pos {
        span.map_or(Pos { line: 1, column: 1 }, |span| self.lines.pos(span.offset()))
    }
}

fn set(items: Vec<Positioned<engine::Selection>>, pos: Pos) -> Positioned<engine::SelectionSet> {
    Positioned::new(engine::SelectionSet { items }, pos)
}

/// Are both values the same? Compared in the engine's own types, where the order of the fields of
/// an object does not matter.
fn same(first: &Field, other: &Field) -> bool {
    first.name == other.name
        && first.arguments.len() == other.arguments.len()
        && first.arguments.iter().all(|argument| {
            let others = other.arguments.iter().find(|other| other.name == argument.name);
            others.is_some_and(|other| {
                values::lowered(&other.value) == values::lowered(&argument.value)
            })
        })
}
