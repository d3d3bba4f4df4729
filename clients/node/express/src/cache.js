/// More than are in use within seconds; further ones are not remembered.
const MAX_ENTRIES = 10_000;

/// Tokens that were found active a moment ago.
export class Cache {
  #entries = new Map();

  constructor(seconds) {
    this.milliseconds = seconds * 1000;
  }

  get(key) {
    const entry = this.#entries.get(key);
    const fresh = entry && performance.now() - entry.asked < this.milliseconds;
    return fresh && entry.principal.expiry > Date.now() ? entry.principal : undefined;
  }

  /// `asked`: when the question was asked. The answer may be as old as that.
  put(key, asked, principal) {
    if (this.#entries.size >= MAX_ENTRIES) {
      for (const [old, entry] of this.#entries) {
        if (performance.now() - entry.asked >= this.milliseconds) this.#entries.delete(old);
      }
    }
    if (this.#entries.size < MAX_ENTRIES) this.#entries.set(key, { asked, principal });
  }
}
