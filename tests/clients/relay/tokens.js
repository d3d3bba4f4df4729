// What the Relay compiler reads. Names begin with that of the file, as it asks.

import { graphql } from 'relay-runtime';

graphql`
  query tokensQuery($first: Int, $after: String) {
    ...tokens_list @arguments(first: $first, after: $after)
  }
`;

graphql`
  fragment tokens_list on Query
  @argumentDefinitions(first: { type: "Int" }, after: { type: "String" })
  @refetchable(queryName: "tokensPageQuery") {
    apiTokens(first: $first, after: $after, orderBy: { field: NAME, direction: ASC })
      @connection(key: "tokens_apiTokens") {
      edges { node { name ...tokens_token } }
    }
  }
`;

graphql`
  fragment tokens_token on ApiToken @refetchable(queryName: "tokensTokenQuery") {
    name
    status
    version
  }
`;

graphql`
  query tokensCurrentQuery {
    currentApiToken { id name createdUserInfo { userName } }
  }
`;

graphql`
  mutation tokensCreateMutation($input: CreateApiTokenInput!, $connections: [ID!]!) {
    createApiToken(input: $input) {
      token
      apiToken @appendNode(connections: $connections, edgeTypeName: "ApiTokenEdge") { id name }
    }
  }
`;

graphql`
  mutation tokensRenameMutation($input: UpdateApiTokenInput!) {
    updateApiToken(input: $input) { apiToken { id version } }
  }
`;

graphql`
  query tokensOneQuery($id: ID!) {
    apiToken(id: $id) @catch { name }
  }
`;
