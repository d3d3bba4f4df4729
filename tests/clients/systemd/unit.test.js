// The unit of contrib/systemd: systemd understands it, and the process may do little.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const unit = fileURLToPath(new URL('../../../contrib/systemd/tokenwright.service', import.meta.url));
const analyze = (...args) => promisify(execFile)('systemd-analyze', args);

test('the exposure of the service is at most 1.5 of 10', async () => {
  // The threshold is in tenths; what exceeds it ends with an error.
  const { stdout } = await analyze('security', '--offline=true', '--threshold=15', unit);
  const [, level] = /Overall exposure level for tokenwright\.service: ([\d.]+)/.exec(stdout);
  assert.ok(Number(level) <= 1.5, stdout);
});

test('systemd finds nothing unknown in the unit', async () => {
  const { stderr } = await analyze('verify', unit).catch((error) => error);
  // The program is not installed here.
  const lines = stderr.split('\n').filter((line) => line && !line.includes('is not executable'));
  assert.deepEqual(lines, []);
});
