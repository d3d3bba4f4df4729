// What somebody writes whose types are worked out by gql.tada.

import { GraphQLClient } from 'graphql-request';
import { initGraphQLTada, type ResultOf, type VariablesOf } from 'gql.tada';
import type { introspection } from './made.js';

const graphql = initGraphQLTada<{
  introspection: introspection;
  scalars: { DateTime: string; IpNetwork: string };
}>();

const Create = graphql(`
  mutation Create($input: CreateApiTokenInput!) {
    createApiToken(input: $input) { token apiToken { id expiry } }
  }
`);

const Current = graphql(`
  query Current { currentApiToken { id name status } }
`);

const Page = graphql(`
  query Page($first: Int, $after: String) {
    apiTokens(first: $first, after: $after) {
      edges { node { name } }
      pageInfo { hasNextPage endCursor }
    }
  }
`);

const connect = (token: string) =>
  new GraphQLClient(process.env.URL!, { headers: { authorization: `Bearer ${token}` } });

const variables: VariablesOf<typeof Create> = {
  input: { name: 'made', expiry: process.env.EXPIRY!, permissions: ['API_API_TOKENS_READ'] },
};
// @ts-expect-error: there is no such permission.
variables.input.permissions = ['API_NOTHING_READ'];
variables.input.permissions = ['API_API_TOKENS_READ'];

const client = connect(process.env.TOKEN!);
const { createApiToken } = await client.request(Create, variables);
const token: string = createApiToken!.token;
const { currentApiToken } = await connect(token).request(Current);
const status: 'ACTIVE' | 'DISABLED' | 'EXPIRED' = currentApiToken!.status;
// @ts-expect-error: it was not asked for.
export const version: unknown = currentApiToken!.version;

const names: string[] = [];
let after: string | null = null;
do {
  const { apiTokens }: ResultOf<typeof Page> = await client.request(Page, { first: 3, after });
  names.push(...apiTokens!.edges.map(({ node }) => node.name));
  after = apiTokens!.pageInfo.hasNextPage ? apiTokens!.pageInfo.endCursor : null;
} while (after);

console.log(JSON.stringify({ current: currentApiToken!.name, status, names }));
