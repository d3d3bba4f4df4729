// How the page asks: by POST, to the endpoint beside it, without cookies.

import { parse } from 'graphql';
import { withoutPlaceholder } from './credentials.js';

/// GraphiQL learns a moment after a tab is opened which operations it has, and until then names one of the tab
/// before.
function ofThisDocument({ query, operationName, ...parameters }) {
  let operations = [];
  try {
    operations = parse(query).definitions.map(({ name }) => name?.value);
  } catch {
    // The server tells what is wrong.
  }
  return operations.includes(operationName) ? { query, operationName, ...parameters } : { query, ...parameters };
}

export async function fetcher(parameters, { headers } = {}) {
  const response = await fetch('graphql', {
    method: 'POST',
    headers: {
      Accept: 'application/graphql-response+json, application/json',
      'Content-Type': 'application/json',
      ...withoutPlaceholder(headers),
    },
    body: JSON.stringify(ofThisDocument(parameters)),
    cache: 'no-store',
    credentials: 'omit',
    redirect: 'error',
  });
  return response.json();
}
