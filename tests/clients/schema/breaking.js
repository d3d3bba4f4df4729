// What the newest change of schema.graphql means for clients. Ends with 1 where it breaks them and the commit does not
// say why, in a trailer line such as
//
//     Breaking-Schema: nobody has used the field since January
//
// The change is the one of the work tree, or else of the newest commit that touched the file.

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CriticalityLevel, diff } from '@graphql-inspector/core';
import { buildSchema } from 'graphql';

const FILE = 'schema.graphql';
const folder = process.argv[2] ?? fileURLToPath(new URL('../../../', import.meta.url));

/// What git says; nothing where there is no such thing, or no history at all.
function git(...args) {
  try {
    return execFileSync('git', args, { cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  } catch {
    return undefined;
  }
}

const now = readFileSync(join(folder, FILE), 'utf8');
const head = git('show', `HEAD:./${FILE}`);
const commit = head === now ? git('log', '-1', '--format=%H', '--', FILE)?.trim() : undefined;
const before = head === now ? git('show', `${commit}^:./${FILE}`) : head;
const where = commit ? `commit ${commit.slice(0, 12)}` : 'the work tree';

if (before === undefined) {
  console.log(`${FILE} has no earlier version here to compare it with`);
  process.exit(0);
}
const changes = await diff(buildSchema(before), buildSchema(now));
console.log(`${FILE}, as ${where} changes it: ${changes.length} changes`);
for (const { criticality, message } of changes) {
  console.log(`  ${criticality.level.toLowerCase().replace('_', ' ')}: ${message}`);
}
if (changes.some(({ criticality }) => criticality.level === CriticalityLevel.Breaking)) {
  const reason = commit && git('log', '-1', '--format=%(trailers:key=Breaking-Schema,valueonly)', commit)?.trim();
  if (reason) {
    console.log(`It breaks clients, and says why: ${reason}`);
  } else {
    console.error('It breaks clients. The commit must say why in a line `Breaking-Schema: REASON` at its end.');
    process.exit(1);
  }
}
