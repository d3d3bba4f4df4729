// What each client sends.

export const CREATE = `
  mutation Create($input: CreateApiTokenInput!) {
    createApiToken(input: $input) { token apiToken { id name } }
  }`;

export const CURRENT = `
  query Current { currentApiToken { id name status createdUserInfo { userName } } }`;

export const PAGE = `
  query Page($first: Int, $after: String) {
    apiTokens(first: $first, after: $after, orderBy: { field: NAME, direction: ASC }) {
      totalCount
      edges { cursor node { id name } }
      pageInfo { hasNextPage endCursor }
    }
  }`;
