//! Measures a parsed document, before it is validated: validation and the engine may take
//! exponential time, or a deep stack, beyond these limits.
//!
//! One walk over each definition as it is written; `weight` then adds up what fragments expand to.

mod weight;

use apollo_compiler::Node;
use apollo_compiler::ast::{
    Argument, Definition, DirectiveList, Document, FragmentDefinition, OperationDefinition,
    OperationType, Selection, Value, VariableDefinition,
};
use apollo_compiler::parser::SourceSpan;

use self::weight::{Body, Place, Spread, Weight};
use super::source::Source;
use crate::graphql::engine::limits::{
    Limit, MAX_DIRECTIVES, MAX_ENTRIES, MAX_FIELD_DIRECTIVES, MAX_FRAGMENTS, MAX_SPREADS,
};
use crate::graphql::engine::request_error::RequestError;

/// Why a document is refused here.
pub(super) enum Refusal {
    Error(RequestError),
    /// The text at this offset does not fit the grammar.
    Syntax(usize),
}

impl From<RequestError> for Refusal {
    fn from(error: RequestError) -> Self {
        Self::Error(error)
    }
}

impl From<Limit> for Refusal {
    fn from(limit: Limit) -> Self {
        Self::Error(RequestError::Limit(limit))
    }
}

/// Refuses a document beyond the limits, and one whose tree lacks something of its text. Validation
/// refuses definitions of a schema.
pub(super) fn check(document: &Document, source: &Source) -> Result<(), Refusal> {
    let mut walk = Walk { source, directives: 0, spreads: 0, misread: None };
    let mut operations = Vec::new();
    let mut fragments = Vec::new();
    for definition in &document.definitions {
        match definition {
            Definition::OperationDefinition(operation) => operations.push((
                operation.operation_type == OperationType::Mutation,
                walk.operation(operation)?,
            )),
            Definition::FragmentDefinition(fragment) => {
                fragments.push((fragment.name.as_str(), walk.fragment(fragment)?));
            }
            _ => {}
        }
    }
    if fragments.len() > MAX_FRAGMENTS {
        return Err(Limit::Fragments.into());
    }
    weight::check(&operations, fragments)?;
    walk.misread.map_or(Ok(()), |offset| Err(Refusal::Syntax(offset)))
}

struct Walk<'a> {
    source: &'a Source,
    directives: usize,
    spreads: usize,
    /// The first and innermost node that lacks some of its words.
    misread: Option<usize>,
}

impl<'a> Walk<'a> {
    fn operation(&mut self, node: &'a Node<OperationDefinition>) -> Result<Body<'a>, Refusal> {
        let mut body = Body::default();
        let offset = node.location().map_or(0, |span| span.offset());
        let shorthand = self.source.text.as_bytes().get(offset) == Some(&b'{');
        let named = usize::from(node.name.is_some()) + usize::from(node.description.is_some());
        let mut words = named + usize::from(!shorthand);
        if node.variables.len() > MAX_ENTRIES {
            return Err(Limit::Entries.into());
        }
        for variable in &node.variables {
            words += self.variable(variable, &mut body.weight)?;
        }
        words += self.directives(&node.directives, &mut body.weight, 0)?;
        words +=
            self.selections(&node.selection_set, node.location(), &mut body, Place::default())?;
        self.compare(node.location(), words);
        Ok(body)
    }

    fn fragment(&mut self, node: &'a Node<FragmentDefinition>) -> Result<Body<'a>, Refusal> {
        let mut body = Body::default();
        // `fragment`, its name, `on` and a type.
        let mut words = 4 + usize::from(node.description.is_some());
        words += self.directives(&node.directives, &mut body.weight, 0)?;
        words +=
            self.selections(&node.selection_set, node.location(), &mut body, Place::default())?;
        self.compare(node.location(), words);
        Ok(body)
    }

    fn variable(
        &mut self,
        node: &'a Node<VariableDefinition>,
        weight: &mut Weight,
    ) -> Result<usize, Refusal> {
        // Its name and its type.
        let mut words = 2 + usize::from(node.description.is_some());
        if let Some(value) = &node.default_value {
            words += self.value(value, weight, 1)?;
        }
        words += self.directives(&node.directives, weight, 1)?;
        self.compare(node.location(), words);
        Ok(words)
    }

    /// `place`: of the set itself.
    fn selections(
        &mut self,
        set: &'a [Selection],
        owner: Option<SourceSpan>,
        body: &mut Body<'a>,
        place: Place,
    ) -> Result<usize, Refusal> {
        // The library accepts an empty set.
        if set.is_empty() {
            self.misread = self.misread.or(owner.map(|span| span.offset()));
        }
        let inside = place.inside();
        body.weight.reach_nesting(inside.nesting);
        let mut words = 0;
        for selection in set {
            body.weight.selections += 1;
            words += match selection {
                Selection::Field(field) => {
                    let below = body.weight.enter_field(field, inside);
                    let mut words = 1 + usize::from(field.alias.is_some());
                    words += self.arguments(&field.arguments, &mut body.weight, inside.nesting)?;
                    words +=
                        self.directives(&field.directives, &mut body.weight, inside.nesting)?;
                    if field.directives.len() > MAX_FIELD_DIRECTIVES {
                        return Err(Limit::FieldDirectives.into());
                    }
                    if let Some(set) = &field.selection_set {
                        words += self.selections(set, field.location(), body, below)?;
                    }
                    self.compare(field.location(), words);
                    words
                }
                Selection::InlineFragment(inline) => {
                    let mut words = 2 * usize::from(inline.type_condition.is_some());
                    words +=
                        self.directives(&inline.directives, &mut body.weight, inside.nesting)?;
                    words +=
                        self.selections(&inline.selection_set, inline.location(), body, inside)?;
                    self.compare(inline.location(), words);
                    words
                }
                Selection::FragmentSpread(spread) => {
                    self.spreads += 1;
                    if self.spreads > MAX_SPREADS {
                        return Err(Limit::Spreads.into());
                    }
                    let fragment = spread.fragment_name.as_str();
                    body.spreads.push(Spread { fragment, place: inside });
                    1 + self.directives(&spread.directives, &mut body.weight, inside.nesting)?
                }
            };
        }
        Ok(words)
    }

    fn directives(
        &mut self,
        directives: &DirectiveList,
        weight: &mut Weight,
        nesting: usize,
    ) -> Result<usize, Refusal> {
        let mut words = 0;
        for directive in directives.iter() {
            self.directives += 1;
            if self.directives > MAX_DIRECTIVES {
                return Err(Limit::Directives.into());
            }
            words += 1 + self.arguments(&directive.arguments, weight, nesting)?;
        }
        Ok(words)
    }

    fn arguments(
        &mut self,
        arguments: &[Node<Argument>],
        weight: &mut Weight,
        nesting: usize,
    ) -> Result<usize, Refusal> {
        if arguments.len() > MAX_ENTRIES {
            return Err(Limit::Entries.into());
        }
        let mut words = arguments.len();
        for argument in arguments {
            words += self.value(&argument.value, weight, nesting + 1)?;
        }
        Ok(words)
    }

    /// `nesting`: the brackets open around the value.
    fn value(
        &mut self,
        value: &Value,
        weight: &mut Weight,
        nesting: usize,
    ) -> Result<usize, Refusal> {
        weight.reach_nesting(nesting);
        let mut words = 0;
        match value {
            Value::List(items) => {
                weight.reach_nesting(nesting + 1);
                for item in items {
                    words += self.value(item, weight, nesting + 1)?;
                }
            }
            Value::Object(fields) => {
                weight.reach_nesting(nesting + 1);
                if fields.len() > MAX_ENTRIES {
                    return Err(Limit::Entries.into());
                }
                for (_, field) in fields {
                    words += 1 + self.value(field, weight, nesting + 1)?;
                }
            }
            _ => words = 1,
        }
        Ok(words)
    }

    /// Does the node have all words that are written in its span?
    fn compare(&mut self, span: Option<SourceSpan>, words: usize) {
        let Some(span) = span else { return };
        let before = |offset: usize| self.source.words.partition_point(|word| *word < offset);
        if before(span.end_offset()) - before(span.offset()) != words {
            self.misread.get_or_insert(span.offset());
        }
    }
}
