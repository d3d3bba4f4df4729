// The form in which dist/ is committed: each file of dist/playground as Brotli and as gzip, and not as it is.
// node compression.js pack FOLDER; node compression.js unpack FOLDER NEW_FOLDER

import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, brotliDecompressSync, constants, gunzipSync, gzipSync } from 'node:zlib';

function pack(folder) {
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    const content = readFileSync(path);
    writeFileSync(`${path}.gz`, gzipSync(content, { level: 9 }));
    writeFileSync(`${path}.br`, brotliCompressSync(content, { params: {
      [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY,
      [constants.BROTLI_PARAM_LGWIN]: constants.BROTLI_MAX_WINDOW_BITS,
      [constants.BROTLI_PARAM_SIZE_HINT]: content.length,
    } }));
    rmSync(path);
  }
}

/// What the files hold, whichever release of a compressor wrote them.
function unpack(folder) {
  const packed = readdirSync(folder);
  for (const name of new Set(packed.map((file) => file.replace(/\.(br|gz)$/, '')))) {
    const path = join(folder, name);
    const content = brotliDecompressSync(readFileSync(`${path}.br`));
    if (!content.equals(gunzipSync(readFileSync(`${path}.gz`)))) {
      throw new Error(`${path}.br and ${path}.gz hold different files`);
    }
    writeFileSync(path, content);
  }
  for (const name of packed) rmSync(join(folder, name));
}

const [command, folder, to] = process.argv.slice(2);
if (command === 'pack') {
  pack(join(folder, 'playground'));
} else if (command === 'unpack') {
  cpSync(folder, to, { recursive: true });
  unpack(join(to, 'playground'));
} else {
  throw new Error('pack FOLDER, or unpack FOLDER NEW_FOLDER');
}
