// What graphql-js says.

import {
  buildClientSchema, getIntrospectionQuery, getOperationAST, GraphQLError, Kind, parse, specifiedRules, validate,
} from 'graphql';
import { getVariableValues } from 'graphql/execution/values.js';
import { send } from '../support/request.js';

/// The schema as it is served. Its own scalars take texts.
export async function servedSchema(server) {
  const query = getIntrospectionQuery({ specifiedByUrl: true, inputValueDeprecation: true, schemaDescription: true });
  const { body } = await send(server, query);
  const schema = buildClientSchema(body.data);
  for (const name of ['DateTime', 'IpNetwork']) {
    const scalar = schema.getType(name);
    const text = (is) => (value) => {
      if (!is(value)) throw new GraphQLError(`${name} takes a text`);
      return value.value ?? value;
    };
    scalar.parseValue = text((value) => typeof value === 'string');
    scalar.parseLiteral = text((node) => node.kind === Kind.STRING);
  }
  return schema;
}

/// The rules that refuse the document, or what else does; none where it runs.
export function refusedBy(schema, { query, variables = {} }) {
  let document;
  try {
    document = parse(query);
  } catch {
    return ['Syntax'];
  }
  const rules = specifiedRules.filter((rule) => validate(schema, document, [rule]).length);
  if (rules.length) return rules.map((rule) => rule.name);
  const operation = getOperationAST(document);
  if (!operation || !schema.getRootType(operation.operation)) return ['Operation'];
  const { coerced, errors } = getVariableValues(schema, operation.variableDefinitions ?? [], variables);
  // A default does not keep a null out of a condition: that shows when it is run.
  const conditions = operation.selectionSet.selections.flatMap(({ directives }) => directives ?? []);
  const isNull = ({ value }) => value.kind === 'Variable' && coerced?.[value.name.value] === null;
  if (errors || conditions.some((directive) => directive.arguments.some(isNull))) return ['Variables'];
  return [];
}
