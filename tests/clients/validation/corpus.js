// The documents and variables that both sides are asked about.

import { readdirSync, readFileSync } from 'node:fs';

const folder = (name) => new URL(`./${name}/`, import.meta.url);

/// Documents by the name of their file and then by their own: each follows a line that starts with `####`.
export function documents() {
  return read('documents', '.graphql', (text) => {
    const parts = text.split(/^#### /m).slice(1);
    return parts.map((part) => {
      const [name] = part.split('\n', 1);
      return [name, { query: part.slice(name.length + 1) }];
    });
  });
}

/// Documents with sets of variables, by the name of their file and then by their own.
export function variables() {
  return read('variables', '.json', (text) =>
    Object.entries(JSON.parse(text)).flatMap(([query, sets]) =>
      Object.entries(sets).map(([name, variables]) => [name, { query, variables }])));
}

function read(name, extension, parse) {
  return readdirSync(folder(name)).filter((file) => file.endsWith(extension)).sort().map((file) => ({
    rule: `${name}/${file.slice(0, -extension.length)}`,
    cases: parse(readFileSync(new URL(file, folder(name)), 'utf8')),
  }));
}
