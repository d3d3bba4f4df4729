// The operations that the page opens with, a tab each.

import { freshName } from './example_name.js';

const given = (name) => document.querySelector(`meta[name="${name}"]`).content;
const json = (value) => JSON.stringify(value, null, 2);

export const EXAMPLES = [
  {
    query: `# Makes a token. Keep its secret:
# it is shown this once.
# Its settings are under Variables.
mutation CreateApiToken($input: CreateApiTokenInput!) {
  createApiToken(input: $input) {
    token
    apiToken {
      id
      name
      partialToken
      expiry
      permissions
      allowedAddresses
      version
      user { name }
      createdUserInfo { userName }
    }
  }
}
`,
    variables: json({
      input: {
        name: freshName(),
        expiry: given('example-expiry'),
        permissions: [given('example-permission')],
        allowedAddresses: [],
      },
    }),
  },
  {
    query: `# The tokens there are, the newest first.
query ApiTokens(
  $first: Int
  $after: String
  $filter: ApiTokenFilter
) {
  apiTokens(
    first: $first
    after: $after
    filter: $filter
  ) {
    totalCount
    nodes {
      id
      name
      partialToken
      status
      expiry
      lastUsedDate
      version
      user { name }
    }
    pageInfo { hasNextPage endCursor }
  }
}
`,
    variables: json({ first: 20, filter: { status: ['ACTIVE'] } }),
  },
  {
    query: `# Your token, and the user it acts as.
query CurrentApiToken {
  currentApiToken {
    id
    name
    status
    expiry
    permissions
    allowedAddresses
  }
  currentUser { id name serviceAccount }
}
`,
    variables: '',
  },
];
