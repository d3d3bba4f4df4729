// What somebody writes whose types are made by GraphQL Code Generator.

import { ClientError, GraphQLClient } from 'graphql-request';
import { graphql } from './made/index.js';
import type { CreateApiTokenInput, Permission } from './made/graphql.js';

const Create = graphql(`
  mutation Create($input: CreateApiTokenInput!) {
    createApiToken(input: $input) { token apiToken { id name expiry permissions } }
  }
`);

const Current = graphql(`
  query Current { currentApiToken { id name status lastUsedDate } }
`);

const Page = graphql(`
  query Page($first: Int, $after: String) {
    apiTokens(first: $first, after: $after) {
      edges { node { name } }
      pageInfo { hasNextPage endCursor }
    }
  }
`);

function connect(token: string): GraphQLClient {
  return new GraphQLClient(process.env.URL!, { headers: { authorization: `Bearer ${token}` } });
}

const permissions: Permission[] = ['API_API_TOKENS_READ'];

// @ts-expect-error: there is no such permission.
export const unknown: Permission = 'API_NOTHING_READ';

const input: CreateApiTokenInput = { name: 'made', expiry: process.env.EXPIRY!, permissions };
const client = connect(process.env.TOKEN!);
const { createApiToken } = await client.request(Create, { input });
const { currentApiToken } = await connect(createApiToken!.token).request(Current);
const lastUsedDate: string | null | undefined = currentApiToken!.lastUsedDate;

const names: string[] = [];
let after: string | null | undefined;
do {
  const { apiTokens } = await client.request(Page, { first: 3, after });
  names.push(...apiTokens!.edges.map(({ node }) => node.name));
  after = apiTokens!.pageInfo.hasNextPage ? apiTokens!.pageInfo.endCursor : undefined;
} while (after);

const codes = await client.request(Create, { input }).catch((error: ClientError) =>
  error.response.errors?.map(({ extensions }) => extensions),
);
console.log(JSON.stringify({ current: currentApiToken!.name, lastUsedDate, names, codes }));
