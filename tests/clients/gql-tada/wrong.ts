// A document that asks for a field which is not there.

import { initGraphQLTada } from 'gql.tada';
import type { introspection } from './made.js';

const graphql = initGraphQLTada<{ introspection: introspection }>();

export const Wrong = graphql(`
  query Wrong { currentApiToken { id secret } }
`);
