// Why a request must not pass, with the answer that RFC 6750 section 3 asks for.

const KINDS = {
  // No error code where no token came (RFC 6750 section 3.1).
  token_missing: { status: 401, message: 'A bearer token is needed', challenge: () => 'Bearer' },
  invalid_request: { status: 400, message: 'One Authorization header with one bearer token is needed', challenge },
  invalid_token: { status: 401, message: 'The token is not valid here', challenge },
  insufficient_scope: { status: 403, message: 'The token lacks a permission', challenge },
  too_many_failures: { status: 429, message: 'Too many failed attempts' },
  unavailable: { status: 503, message: 'The token cannot be checked now' },
};

function challenge({ error, message, scope }) {
  const end = scope === undefined ? '' : `, scope="${scope}"`;
  return `Bearer error="${error}", error_description="${message}"${end}`;
}

export class Refusal extends Error {
  constructor(error, { scope, retryAfter = error === 'unavailable' ? 1 : undefined, cause } = {}) {
    super(KINDS[error].message, { cause });
    this.name = 'Refusal';
    this.error = error;
    this.status = KINDS[error].status;
    this.scope = scope;
    this.retryAfter = retryAfter;
  }

  get headers() {
    const { challenge: challenged } = KINDS[this.error];
    return {
      'cache-control': 'no-store',
      ...(challenged && { 'www-authenticate': challenged(this) }),
      ...(this.retryAfter !== undefined && { 'retry-after': String(this.retryAfter) }),
    };
  }

  get body() {
    return { error: this.error, error_description: this.message };
  }
}
