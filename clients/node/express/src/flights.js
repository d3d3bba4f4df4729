/// At most one question about a token is on its way at a time. Who asks while one is on its way does not get its answer:
/// that may have been found before a change that the asker already knows of. All who ask meanwhile share the next one.
export class Flights {
  #running = new Map();

  /// The answer to a question that is asked after this call.
  join(key, ask) {
    const flight = this.#running.get(key);
    if (!flight) return this.#start(key, ask);
    const start = () => this.#start(key, ask);
    flight.next ??= flight.answer.then(start, start);
    return flight.next;
  }

  #start(key, ask) {
    const flight = { answer: ask(), next: undefined };
    this.#running.set(key, flight);
    // Registered first, so it runs before a next one starts, which then takes the place.
    const land = () => {
      if (!flight.next) this.#running.delete(key);
    };
    flight.answer.then(land, land);
    return flight.answer;
  }
}
