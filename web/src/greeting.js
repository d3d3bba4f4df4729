// What the documentation opens with. The server's library describes every schema in the same words, subscriptions
// included, which this server does not have.

const GREETING = `**Tokenwright** issues API tokens and says what each may do.

Start at \`Mutation\` to make a token, or at \`Query\` to list the ones there are. What a token may do is in \`Permission\`.`;

/// The answer to an introspection query, with this greeting as the schema's description.
export function withGreeting(answer) {
  const schema = answer.data?.__schema;
  return schema ? { ...answer, data: { ...answer.data, __schema: { ...schema, description: GREETING } } } : answer;
}
