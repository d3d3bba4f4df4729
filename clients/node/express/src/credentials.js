import { Refusal } from './refusal.js';

/// Longer than any secret: what is longer is not handed on.
const MAX_LENGTH = 256;

/// The secret in the values of all `Authorization` headers (RFC 6750 section 2.1). There must be exactly one: of two,
/// something else on the way may have read the other one. Some servers join them by a comma, which no secret has.
export function bearer(lines) {
  if (lines.length === 0) throw new Refusal('token_missing');
  const [line] = lines;
  if (lines.length > 1 || !/^[\x20-\x7e\t]*$/.test(line)) throw new Refusal('invalid_request');
  const space = line.indexOf(' ');
  const scheme = space < 0 ? line : line.slice(0, space);
  if (scheme.toLowerCase() !== 'bearer') {
    throw new Refusal(/^[\w!#$%&'*+.^`|~-]+$/.test(scheme) ? 'token_missing' : 'invalid_request');
  }
  const secret = space < 0 ? '' : line.slice(space).replace(/^ +/, '');
  if (secret === '' || secret.includes(',')) throw new Refusal('invalid_request');
  if (secret.length > MAX_LENGTH) throw new Refusal('invalid_token');
  return secret;
}
