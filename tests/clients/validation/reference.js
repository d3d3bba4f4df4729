// What graphql-js says.

import * as graphql16 from 'graphql';
import * as graphql17 from 'graphql17';
import { send } from '../support/request.js';

/// The two that are in use. The older one knows the language as of October 2021.
export const REFERENCES = { 'graphql-js 16': graphql16, 'graphql-js 17': graphql17 };

/// The schema as it is served. Its own scalars take texts.
export async function servedSchema(server, { buildClientSchema, getIntrospectionQuery, GraphQLError, Kind }) {
  const query = getIntrospectionQuery({ specifiedByUrl: true, inputValueDeprecation: true, schemaDescription: true });
  const { body } = await send(server, query);
  const schema = buildClientSchema(body.data);
  for (const name of ['DateTime', 'IpNetwork']) {
    const scalar = schema.getType(name);
    const text = (is) => (value) => {
      if (!is(value)) throw new GraphQLError(`${name} takes a text`);
      return value.value ?? value;
    };
    scalar.parseValue = scalar.coerceInputValue = text((value) => typeof value === 'string');
    scalar.parseLiteral = scalar.coerceInputLiteral = text((node) => node.kind === Kind.STRING);
  }
  return schema;
}

/// The rules that refuse the document, or what else does; none where it runs.
export function refusedBy(graphql, schema, { query, variables = {} }) {
  let document;
  try {
    document = graphql.parse(query);
  } catch {
    return ['Syntax'];
  }
  const rules = graphql.specifiedRules.filter((rule) => graphql.validate(schema, document, [rule]).length);
  if (rules.length) return rules.map((rule) => rule.name);
  const operation = graphql.getOperationAST(document);
  if (!operation || !schema.getRootType(operation.operation)) return ['Operation'];
  const values = graphql.getVariableValues(schema, operation.variableDefinitions ?? [], variables);
  const coerced = values.variableValues?.coerced ?? values.coerced;
  // A default does not keep a null out of a condition: that shows when it is run.
  const conditions = operation.selectionSet.selections.flatMap(({ directives }) => directives ?? []);
  const isNull = ({ value }) => value.kind === 'Variable' && coerced?.[value.name.value] === null;
  if (values.errors || conditions.some((directive) => directive.arguments.some(isNull))) return ['Variables'];
  return [];
}
