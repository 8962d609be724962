/**
 * A lease as its owner sees it. The two clocks need not agree: the owner counts from when it sent the request,
 * the host from when it got it, so that the owner's lease ends first.
 */
export class HeldLease {
  #sentAt: number;
  #seconds: number;

  /**
   * @param id the host's.
   * @param sentAt when the request left, in ms of the owner's clock, which never goes back.
   */
  constructor(
    readonly id: string,
    seconds: number,
    sentAt: number,
  ) {
    this.#seconds = seconds;
    this.#sentAt = sentAt;
  }

  /** Whether the host still keeps to it for sure. Afterwards nothing may run on it that was not running. */
  isHeld(now: number): boolean {
    return now < this.#sentAt + this.#seconds * 1000;
  }

  /** When to ask for more time: early enough for a few attempts. */
  get renewAt(): number {
    return this.#sentAt + (this.#seconds * 1000) / 3;
  }

  /** The host has agreed to a renewal that was sent then; an answer that is late changes nothing. */
  renewed(seconds: number, sentAt: number): void {
    if (sentAt + seconds * 1000 <= this.#sentAt + this.#seconds * 1000) return;
    this.#seconds = seconds;
    this.#sentAt = sentAt;
  }
}
