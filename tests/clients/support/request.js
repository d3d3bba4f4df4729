// One plain request, without any client.

/// Sends a document, or a body as it is; answers with the status, the headers and the parsed body.
export async function send(server, query, { variables, token = server.token, headers = {}, raw, ...more } = {}) {
  const response = await fetch(server.url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(token ? { authorization: `Bearer ${token}` } : {}),
      ...headers,
    },
    body: raw ?? JSON.stringify({ query, variables, ...more }),
  });
  return { status: response.status, headers: response.headers, body: await response.json() };
}

/// An expiry so many days from now, as a client writes it.
export function inDays(days) {
  return new Date(Date.now() + days * 86_400_000).toISOString();
}
