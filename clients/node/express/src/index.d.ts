import type { RequestHandler } from 'express';
import { Principal, Settings, Tokenwright } from './client.js';

export * from './client.js';

declare global {
  namespace Express {
    interface Request {
      /** Who asks; behind `requireToken` only. */
      tokenwright?: Principal;
    }
  }
}

/** What a token needs. */
export interface Requirement {
  /** Codes such as `shop.orders.read`, all of which the token must have. Without any, every valid token passes. */
  permissions?: readonly string[];
}

/** The middleware, for one Tokenwright. */
export interface Middleware {
  /**
   * Lets only requests with a valid token pass that has all these permissions, and puts its principal into
   * `request.tokenwright`. The address of the client is `request.ip`, so Express's own setting `trust proxy` decides
   * which proxies are believed.
   */
  requireToken(requirement?: Requirement): RequestHandler;
  /** Closes the connections that are kept. */
  close(): void;
}

/** What is specific to Express. */
export interface ExpressSettings extends Settings {
  /** Is told why Tokenwright gave no answer. It writes to `console.error` unless told; no secret is in it. */
  onError?(error: unknown): void;
}

/** Makes the middleware. Throws where a setting cannot be used. */
export function tokenwright(settings: ExpressSettings): Middleware;
