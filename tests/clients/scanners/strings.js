// Secrets, near misses, and the places in which both are found.

import { randomInt } from 'node:crypto';
import { crc32 } from 'node:zlib';

const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

const characters = (count, alphabet = DIGITS) => (
  Array.from({ length: count }, () => alphabet[randomInt(alphabet.length)]).join('')
);

/// CRC-32 of a text, as the last six characters of a secret have it.
export function checksum(text) {
  let rest = crc32(text);
  let digits = '';
  for (let place = 0; place < 6; place += 1) {
    digits = DIGITS[rest % 62] + digits;
    rest = Math.floor(rest / 62);
  }
  return digits;
}

const closed = (body) => body + checksum(body);
const id = () => `0${characters(21)}`;

/// A secret as the server makes them.
export const secret = () => closed(`twr_${id()}_${characters(43)}`);

/// Kinds of what is no secret, by its form. Where the form allows, the checksum is right.
export const WRONG_FORMS = {
  'a short id': () => closed(`twr_${characters(21)}_${characters(43)}`),
  'a long id': () => closed(`twr_${characters(23)}_${characters(43)}`),
  'a short random part': () => closed(`twr_${id()}_${characters(42)}`),
  'a long random part': () => closed(`twr_${id()}_${characters(44)}`),
  'a hyphen in the random part': () => closed(`twr_${id()}_${characters(20)}-${characters(22)}`),
  'an underscore in the random part': () => closed(`twr_${id()}_${characters(20)}_${characters(22)}`),
  'characters of base64': () => closed(`twr_${id()}_${characters(41)}+/`),
  'another prefix': () => closed(`twx_${id()}_${characters(43)}`),
  'a prefix without its end': () => closed(`twr${id()}_${characters(43)}`),
  'a hyphen after the prefix': () => closed(`twr-${id()}_${characters(43)}`),
  'no underscore in the middle': () => closed(`twr_${id()}${characters(44)}`),
  capitals: () => secret().toUpperCase(),
  'the masked form': () => `twr_${id()}_******`,
};

/// Kinds of what has the form of a secret, and a checksum that is not its own.
export const WRONG_CHECKSUMS = {
  'a random checksum': () => secret().slice(0, -6) + characters(6),
  'one character changed': () => {
    const text = secret();
    const place = 27 + randomInt(49);
    const other = DIGITS[(DIGITS.indexOf(text[place]) + 1 + randomInt(61)) % 62];
    return text.slice(0, place) + other + text.slice(place + 1);
  },
  'the checksum of the random part alone': () => {
    const body = secret().slice(0, -6);
    return body + checksum(body.slice(27));
  },
};

/// One line each, as such texts are found in files.
export const PLACES = [
  (text) => text,
  (text) => `TOKENWRIGHT_TOKEN=${text}`,
  (text) => `export CI_${text}`,
  (text) => `const TOKEN = '${text}';`,
  (text) => `token: "${text}"  # of the deployment`,
  (text) => `curl -H "Authorization: Bearer ${text}" https://tokens.example/graphql`,
  (text) => `https://app.example/callback?token=${text}&state=1`,
  (text) => `authorization=Bearer%20${text}%0A`,
  (text) => `/redirect?to=%2Fhome%3Ftoken%3D${text}%26x%3D1`,
  (text) => `{"log": "the token is\\n${text}\\nand that is all"}`,
  (text) => `{"log": "tab\\t${text}\\u0022"}`,
  (text) => `{"headers": "{\\"authorization\\": \\"Bearer ${text}\\"}"}`,
  (text) => `<password>${text}</password>`,
  (text) => `2026-11-27T10:00:00Z INFO request authorization=[${text}],`,
  (text) => `docker run -e TOKEN=${text} app`,
  (text) => `| ${text} | for the tests |`,
];

/// So many texts of the kinds by turns, in the places by turns: a line each.
export function lines(count, kinds) {
  return Array.from({ length: count }, (_, turn) => {
    const kind = kinds[turn % kinds.length];
    return PLACES[Math.floor(turn / kinds.length) % PLACES.length](kind());
  });
}
