import type { SecureContextOptions } from 'node:tls';

/** The longest time in seconds for which an answer may be remembered. */
export const MAX_CACHE_SECONDS: 10;

export interface Settings {
  /** The URL of Tokenwright, such as `http://127.0.0.1:8080`. */
  url: string;
  /** The secret of this service's own token, which needs the permission `api.api-tokens.read`. */
  token: string;
  /** How many seconds an answer is waited for; then the request is refused with 503. 2 unless told, 60 at most. */
  timeoutSeconds?: number;
  /**
   * Remembers for so many seconds that a token is active, 10 at most. **For so long, a token that was deleted, disabled
   * or narrowed goes on to work here.** 0 unless told: every request is asked about, and a change takes effect on the
   * next one.
   */
  cacheSeconds?: number;
  /** Certificates for an `https` URL, such as `{ ca }`. */
  tls?: SecureContextOptions;
}

/** Who asks: a user and the token that authenticated the request. Frozen. */
export class Principal {
  private constructor();
  /** The id of the token's own user, `usr_...`. */
  readonly userId: string;
  /** The name of that user, which is the name of the token. */
  readonly userName: string;
  /** The id of the token, `tok_...`. Never its secret. */
  readonly tokenId: string;
  /** What the token may do, as dotted codes such as `shop.orders.read`. */
  readonly permissions: readonly string[];
  /** What was written on the token, such as `{ tenant: 'acme' }`. Labels give no authority by themselves. */
  readonly labels: Readonly<Record<string, string>>;
  /** When the token ends. */
  readonly expiry: Date;
  /** Does the token have all these permissions? */
  has(...permissions: string[]): boolean;
  /** Requires all these permissions; throws a {@link Refusal} with status 403 where the token lacks one. */
  require(...permissions: string[]): void;
}

/** The reason of a refusal, for programs. */
export type RefusalError =
  /** The request has no bearer token: 401. */
  | 'token_missing'
  /** Several `Authorization` headers, or one that is not well-formed: 400. */
  | 'invalid_request'
  /**
   * The token is unknown, wrong, expired, disabled or deleted, or not allowed from the address of the client: 401.
   * Tokenwright's log says which.
   */
  | 'invalid_token'
  /** The token is valid, and may not do this: 403. */
  | 'insufficient_scope'
  /** Too many wrong secrets came from this client: 429. */
  | 'too_many_failures'
  /** Tokenwright did not say whether the token is valid: 503. `cause` says why. */
  | 'unavailable';

/** Why a request must not pass, with the answer that RFC 6750 section 3 asks for. */
export class Refusal extends Error {
  private constructor();
  readonly error: RefusalError;
  /** The HTTP status. */
  readonly status: 400 | 401 | 403 | 429 | 503;
  /** The permissions that are needed, separated by spaces, where one is missing. */
  readonly scope?: string;
  /** Seconds until another attempt may succeed. */
  readonly retryAfter?: number;
  /** The headers of the answer. */
  readonly headers: Record<string, string>;
  /** The body of the answer, for JSON. */
  readonly body: { error: RefusalError; error_description: string };
}

/** Tokenwright, as a service sees it. Make one for the whole process, because connections are kept in it. */
export class Tokenwright {
  /** Throws where a setting cannot be used. It connects when it is first asked. */
  constructor(settings: Settings);
  /**
   * Who asks, from all `Authorization` headers of a request and the address of its client; `undefined` when the address
   * is unknown, and then a token that is bound to addresses does not pass. Rejects with a {@link Refusal}.
   */
  authenticate(authorization: readonly string[], clientAddress: string | undefined): Promise<Principal>;
  /** Closes the connections that are kept. */
  close(): void;
}
