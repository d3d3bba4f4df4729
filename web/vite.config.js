import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

/// The licences of what the editor itself has in it.
const notices = {
  name: 'notices',
  generateBundle() {
    const source = readFileSync(here('node_modules/monaco-editor/ThirdPartyNotices.txt'));
    this.emitFile({ type: 'asset', fileName: 'playground/monaco-notices.txt', source });
  },
};

export default defineConfig({
  // Relative: the page may stand behind a proxy under a path of its own.
  base: './',
  resolve: {
    alias: {
      // Smaller stand-ins for what GraphiQL loads: src/ says why.
      'monaco-editor/esm/vs/editor/edcore.main.js': here('src/editor.js'),
      'prettier/parser-babel': here('src/json_formatter.js'),
      'prettier/plugins/estree': here('src/json_formatter.js'),
      // The same module as the one that has the printer.
      'prettier/parser-graphql': 'prettier/plugins/graphql',
    },
  },
  plugins: [notices],
  build: {
    assetsDir: 'playground',
    // One file: all of it is needed at once.
    rolldownOptions: { output: { codeSplitting: false }, checks: { moduleLevelDirective: false } },
    chunkSizeWarningLimit: 5000,
    // The licences ask that their texts come along.
    license: { fileName: 'playground/licenses.md' },
  },
});
