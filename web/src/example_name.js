// The name in the example that makes a token. A name can be taken only once, so a run gets a new one when the one that
// is there has been sent before.

const sent = new Set();
let editor;

/// The editor of the variables: a new name is shown there.
export function showIn(variables) {
  editor = variables;
}

/// A name with the time in it that no run has sent.
export function freshName() {
  const stem = `continuous integration ${new Date().toISOString().slice(0, 19).replace('T', ' ')}`;
  let name = stem;
  for (let count = 2; sent.has(name); count += 1) name = `${stem} (${count})`;
  return name;
}

/// The variables to send, with a new name if theirs is an example's that is taken.
export function withFreeName(variables) {
  const name = variables?.input?.name;
  if (!sent.has(name)) return variables;
  const fresh = freshName();
  const places = editor.getModel().findMatches(JSON.stringify(name), true, false, true, null, false);
  editor.executeEdits('name', places.map(({ range }) => ({ range, text: JSON.stringify(fresh) })));
  return { ...variables, input: { ...variables.input, name: fresh } };
}

/// Remembers that the name is taken, if it is an example's.
export function remember(variables, answer) {
  const name = variables?.input?.name;
  const isTaken = answer.data?.createApiToken
    || answer.errors?.some(({ extensions }) => extensions?.reason === 'name_taken');
  if (isTaken && name?.startsWith('continuous integration 20')) sent.add(name);
}
