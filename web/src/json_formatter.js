// A plugin for Prettier that lays out variables and headers with the library that reads them anyway. Prettier's
// own one comes with a parser of JavaScript.

import { applyEdits, format } from 'jsonc-parser';

const laidOut = (text) => applyEdits(text, format(text, undefined, { insertSpaces: true, tabSize: 2 }));

export const parsers = {
  jsonc: {
    astFormat: 'text',
    parse: (text) => ({ text: laidOut(text) }),
    locStart: () => 0,
    locEnd: ({ text }) => text.length,
  },
};

export const printers = { text: { print: ({ node }) => node.text } };
