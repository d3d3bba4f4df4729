// What goes wrong without a line of the files in contrib/gateways. So each such line has its reason, and the
// cases are seen to notice when it is missing.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startWorld } from './world.js';

/// Takes away what matches, or puts something else in its place, and looks at what happens then.
export function trap(name, gateway, [pattern, instead], look) {
  test(name, async () => {
    let found = 0;
    const change = (text) => text.replaceAll(pattern, () => { found += 1; return instead; });
    const world = await startWorld(async (...given) => ({ ...await gateway(...given), change }));
    try {
      assert.ok(found, `${pattern} is in a file`);
      await look(world);
    } finally {
      await world.stop();
    }
  });
}
