// Reads docs/quickstart.md: node steps.js FILE writes it as one script, which compares what each step writes.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { argv } from 'node:process';
import { fileURLToPath } from 'node:url';

/// The blocks of the page in their order: each a `command`, with the `output` that is shown under it.
export function steps(page) {
  const found = [];
  for (const [, language, content] of page.matchAll(/^```(\w+)\n(.*?)^```$/gms)) {
    if (language === 'sh') found.push({ command: content });
    else if (language === 'text') found.at(-1).output = content;
    else assert.fail(`neither a command nor its output:\n${content}`);
  }
  return found;
}

/// A script for bash that ends with an error where a step writes something else than the page shows. What the steps
/// write goes to files of the folder `kept`.
export function script(found, kept) {
  const compared = ({ command, output }, at) => (output === undefined ? command : [
    `exec 3>&1 >'${kept}/${at}'\n${command}exec >&3 3>&-`,
    `diff --unified - '${kept}/${at}' <<'SHOWN'\n${output}SHOWN\n`,
  ].join('\n'));
  // Whatever happens, nothing that it started goes on.
  return `set -eu\ntrap 'kill $(jobs -p) 2>/dev/null || true' EXIT\n${found.map(compared).join('')}`;
}

if (argv[1] === fileURLToPath(import.meta.url)) {
  const [, , file, kept] = argv;
  process.stdout.write(script(steps(readFileSync(file, 'utf8')), kept));
}
