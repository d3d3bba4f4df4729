// How a token stands in the header editor.

const PLACEHOLDER = 'Bearer twr_...';

/// What the header editor opens with.
export const HEADERS = `// Put your token in place of twr_...
// Only this page has it, until it reloads.
// It brings the documentation, too.
{
  "Authorization": "${PLACEHOLDER}"
}
`;

/// The headers without the placeholder: a request without a token gets a better answer than one with a wrong one.
export function withoutPlaceholder(headers = {}) {
  return Object.fromEntries(Object.entries(headers).filter(([, value]) => value !== PLACEHOLDER));
}

/// The whole token in a text, if there is one.
export function tokenIn(text) {
  return /\bBearer (twr_[0-9A-Za-z]{22}_[0-9A-Za-z]{49})"/.exec(text)?.[1];
}
