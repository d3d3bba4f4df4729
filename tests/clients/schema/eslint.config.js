// What graphql-eslint asks of every schema, and of one for Relay; and everything is described.

import { fileURLToPath } from 'node:url';
import graphql from '@graphql-eslint/eslint-plugin';

/// The schema as it is committed. It is not below this folder, so the test runs ESLint from the root.
export const schema = fileURLToPath(new URL('../../../schema.graphql', import.meta.url));

export default [
  {
    files: ['**/*.graphql'],
    languageOptions: {
      parser: graphql.parser,
      parserOptions: { graphQLConfig: { schema } },
    },
    plugins: { '@graphql-eslint': graphql },
    rules: {
      ...graphql.configs['flat/schema-recommended'].rules,
      ...graphql.configs['flat/schema-relay'].rules,
      // A list of plain values is no list of edges: permissions, addresses, what changed.
      '@graphql-eslint/relay-edge-types': ['error', { listTypeCanWrapOnlyEdgeType: false }],
      // Only what `node` finds has an id. The others are parts of something, or answers.
      '@graphql-eslint/strict-id-in-types': ['error', {
        exceptions: {
          types: [
            'ApiTokenVerification', 'AuditChange', 'Label', 'PageInfo', 'PermissionInfo', 'PolicyPreview',
            'PolicyRuleCount', 'UserInfo',
          ],
          suffixes: ['Connection', 'Edge', 'Payload'],
        },
      }],
      '@graphql-eslint/require-description': ['error', {
        types: true,
        rootField: true,
        DirectiveDefinition: true,
        FieldDefinition: true,
        InputValueDefinition: true,
        EnumValueDefinition: true,
        // GraphQL's own directives are printed without.
        ignoredSelectors: ['DirectiveDefinition > InputValueDefinition'],
      }],
    },
  },
];
