// What every gateway is tried with.

import { ELSEWHERE, HOME } from './client.js';

/// Headers by which gateways and services are told a client's address.
const ADDRESS_HEADERS = [
  'X-Forwarded-For', 'X-Real-IP', 'X-Client-IP', 'X-Cluster-Client-IP', 'True-Client-IP', 'CF-Connecting-IP',
  'X-Envoy-External-Address', 'X-Original-Forwarded-For', 'X-ProxyUser-Ip',
];

/// Headers by which services are told who calls.
export const IDENTITY_HEADERS = [
  'x-tokenwright-user-id', 'x-tokenwright-user-name', 'x-tokenwright-token-id', 'x-tokenwright-permissions',
  'x-tokenwright-labels',
];

/// A client that claims to be at home, in every way there is.
const CLAIMS = [
  ...ADDRESS_HEADERS.map((name) => [name, HOME]),
  ['Forwarded', `for=${HOME}`],
];

/// A client that claims to be somebody else.
export const OTHER_IDENTITY = [
  ...IDENTITY_HEADERS.map((name) => [name, `forged-${name}`]),
  ['X-TOKENWRIGHT-LABELS', 'tenant=forged'],
  ['Remote-User', 'forged'],
];

const READ = 'api.engagements.read';
const insufficient = (...codes) => new RegExp(`^Bearer .*error="insufficient_scope".*scope="${codes.join(' ')}"`);
const INVALID = /^Bearer .*error="invalid_token"/;
const MISSING = /^Bearer realm="[^"]*"$/;
const ANALYSIS = '/analyses/1';

const refused = (name, asked, status, challenge) => ({ name, asked, status, challenge });
const passes = (name, asked) => ({ name, asked, status: 200 });

/// Each is a request, and the status and the challenge that are expected. `token` is a name in `TOKENS`.
export const CASES = [
  passes('a token with the permission', { token: 'reader of engagements' }),
  passes('a token with both permissions', { token: 'runner of analyses', path: ANALYSIS }),
  passes('a request with a body', { token: 'reader of engagements', method: 'POST', body: 'x'.repeat(100_000) }),
  passes('a method that is not common', { token: 'reader of engagements', method: 'PROPFIND' }),

  refused('no token', {}, 401, MISSING),
  refused('another scheme', { headers: [['Authorization', 'Basic dXNlcjpwYXNz']] }, 401, MISSING),
  refused('a token that does not exist', { token: 'wrong' }, 401, INVALID),
  refused('a disabled token', { token: 'disabled' }, 401, INVALID),
  refused('a token in the query string', { path: '/engagements/1?access_token={shown in a URL}' }, 401, MISSING),
  refused('without the permission', { token: 'reader of analyses' }, 403, insufficient(READ)),
  refused(
    'with one of two permissions', { token: 'reader of analyses', path: ANALYSIS }, 403,
    insufficient('api.analyses.read', 'api.analyses.run'),
  ),
  refused(
    'permissions that the client writes itself',
    {
      token: 'reader of analyses',
      path: '/engagements/1?permission=api.analyses.read',
      headers: [
        ['X-Tokenwright-Permissions', READ], ['X-Forwarded-Uri', '/analyses/1'], ['X-Original-URI', '/analyses/1'],
        ['X-Forwarded-Method', 'OPTIONS'], ['X-Http-Method-Override', 'OPTIONS'],
      ],
    },
    403, insufficient(READ),
  ),
];

/// The same for the client's address.
export const ADDRESS_CASES = [
  passes('a bound token from its address', { token: 'bound' }),
  passes('a bound token from its address that claims another one', {
    token: 'bound', headers: [['X-Forwarded-For', '192.0.2.1'], ['Forwarded', 'for=192.0.2.1']],
  }),
  refused('a bound token from another address', { token: 'bound', from: ELSEWHERE }, 403),
  refused('a forged address in every header', { token: 'bound', from: ELSEWHERE, headers: CLAIMS }, 403),
  ...CLAIMS.map(([name, value]) => (
    refused(`a forged address in ${name}`, { token: 'bound', from: ELSEWHERE, headers: [[name, value]] }, 403)
  )),
  refused('a forged list of proxies', {
    token: 'bound', from: ELSEWHERE, headers: [['X-Forwarded-For', `${HOME}, 127.0.0.1`], ['X-Forwarded-For', '127.0.0.1']],
  }, 403),
  refused('a header that is removed on the way', {
    token: 'bound', from: ELSEWHERE, headers: [['Connection', 'X-Forwarded-For, X-Real-IP'], ['X-Forwarded-For', HOME]],
  }, 403),
];

/// Paths that another reader could take for one with other permissions. They are asked for with a token
/// that may read engagements only; none may reach anything else at the service.
export const PATHS = [
  '/', '/elsewhere', '/engagements', '/analyses/1', '/engagements/../analyses/1', '/engagements/%2e%2e/analyses/1',
  '/engagements/.%2E/analyses/1', '/engagements/..%2fanalyses/1', '/engagements/..%5canalyses/1',
  '/engagements/..\\analyses/1', '//analyses/1', '/engagements//../../analyses/1', '/ENGAGEMENTS/../analyses/1',
  '/engagements/1/..;/../../analyses/1', '/_tokenwright/permissions/api.engagements.read', 'http://other.example/analyses/1',
];
