/** Is everything that was written here stored? Counted as the gateway counts: updates of one connection. */
export class Saved {
  #brought = 0;
  /** -1: nothing is known yet. */
  #stored = -1;
  #unsaved = false;

  /** Whether something was written here of which nobody has said that it is stored. */
  get unsaved(): boolean {
    return this.#unsaved;
  }

  /** Something was written; without a connection it goes along with what the next one brings first. */
  wrote(connected: boolean): void {
    this.#unsaved = true;
    if (connected) this.#brought += 1;
  }

  /** Another connection: both sides count anew. */
  begin(): void {
    this.#brought = 0;
    this.#stored = -1;
  }

  /** The gateway says how many of the updates that this connection brought are stored. */
  told(stored: number): void {
    this.#stored = stored;
    if (this.#stored === this.#brought) this.#unsaved = false;
  }
}
