// Reads the examples of docs/clients.md.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';

const text = readFileSync(new URL('../../../docs/clients.md', import.meta.url), 'utf8');

/// The sections that have examples: their `title`, their `files` by name, and their `steps`, each a
/// `command` with the `output` that stands under it. What comes before the first section is left out.
export function sections() {
  return text.split(/^## /m).slice(1).map(section).filter(({ files, steps }) => files.size + steps.length);
}

function section(markdown) {
  const files = new Map();
  const steps = [];
  for (const [, language, content] of markdown.matchAll(/^```(\w*)\n(.*?)^```$/gms)) {
    const name = /^(?:\/\/|#) (\S+\.\w+)$/m.exec(content.split('\n')[0]);
    if (language === 'sh') steps.push({ command: content });
    else if (language === 'text') steps.at(-1).output = content;
    else if (name) files.set(name[1], content);
    else assert.fail(`an example is neither a file nor a command:\n${content}`);
  }
  return { title: markdown.split('\n')[0], files, steps };
}
