// docs/quickstart.md does what it says, in one shell, from its first line to its last. Its installation is left to
// `scripts/release --check`, which has a Debian with nothing on it; here the program is the one that was built. The ports
// are other ones, because those of the page may be taken.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { mkdtemp, readdir, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { test } from 'node:test';
import { freePorts, packaged } from '../gateways/gateway.js';
import { run } from '../support/folder.js';
import { script, steps } from './steps.js';

const page = readFileSync(new URL('../../../docs/quickstart.md', import.meta.url), 'utf8');

/// Gateway, API, Tokenwright.
const PORTS = [8000, 3000, 8080];

test('the quickstart does what it says', async () => {
  const [install, ...rest] = steps(page);
  assert.match(install.command, /^apt-get install /);
  assert.equal(rest.filter(({ output }) => output).length, 4, 'what comes of a step is shown');

  const temporary = (name) => mkdtemp(join(tmpdir(), `${name}-`));
  const [path, programs, kept] = await Promise.all(['quickstart', 'programs', 'kept'].map(temporary));
  try {
    await symlink(process.env.TOKENWRIGHT_BINARY, join(programs, 'tokenwright'));
    await symlink(packaged('caddy'), join(programs, 'caddy'));
    const free = await freePorts(PORTS.length);
    const moved = PORTS.reduce(
      (text, port, at) => text.replaceAll(`127.0.0.1:${port}`, `127.0.0.1:${free[at]}`), script(rest, kept),
    );
    const ran = await run({ path }, 'bash', ['-c', moved], {
      HOME: programs,
      // Variables of the tests, which are no settings.
      TOKENWRIGHT_BINARY: undefined,
      TOKENWRIGHT_EXAMPLES: undefined,
      PATH: [programs, process.env.PATH].join(delimiter),
      TOKENWRIGHT_LISTEN: `127.0.0.1:${free[2]}`,
    });
    assert.equal(ran.code, 0, ran.said);
    assert.deepEqual(await readdir(path), [], 'it leaves nothing');
  } finally {
    await Promise.all([path, programs, kept].map((folder) => rm(folder, { recursive: true, force: true })));
  }
});
