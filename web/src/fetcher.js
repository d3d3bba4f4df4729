// How the page asks: by POST, to the endpoint beside it, without cookies.

import { withoutPlaceholder } from './credentials.js';
import { remember, withFreeName } from './example_name.js';
import { withGreeting } from './greeting.js';

export async function fetcher({ query, variables: given, operationName }, { headers } = {}) {
  const variables = withFreeName(given);
  // For a moment after a change of tabs, GraphiQL still names the operation of the tab before.
  const named = operationName && query.includes(operationName) ? operationName : undefined;
  const response = await fetch('graphql', {
    method: 'POST',
    headers: {
      Accept: 'application/graphql-response+json, application/json',
      'Content-Type': 'application/json',
      ...withoutPlaceholder(headers),
    },
    body: JSON.stringify({ query, variables, operationName: named }),
    cache: 'no-store',
    credentials: 'omit',
    redirect: 'error',
  });
  const answer = await response.json();
  remember(variables, answer);
  return operationName === 'IntrospectionQuery' ? withGreeting(answer) : answer;
}
