/** What may be under way to one subscriber without being acknowledged. */
const MAXIMUM_MESSAGES = 256;
const MAXIMUM_BYTES = 8 << 20;

/**
 * The messages of one queue that are under way: sent, and not yet acknowledged. The sender keeps to it, and the receiver
 * knows by it who does not.
 */
export class Window {
  #pending: { sequence: number; bytes: number }[] = [];
  #bytes = 0;

  /** Whether nothing more may be sent now; the last message may have gone over the number of bytes. */
  get full(): boolean {
    return this.#pending.length >= MAXIMUM_MESSAGES || this.#bytes >= MAXIMUM_BYTES;
  }

  /** How many messages more may be under way. */
  get room(): number {
    return this.full ? 0 : MAXIMUM_MESSAGES - this.#pending.length;
  }

  get empty(): boolean {
    return this.#pending.length === 0;
  }

  add(sequence: number, bytes: number): void {
    this.#pending.push({ sequence, bytes });
    this.#bytes += bytes;
  }

  /** All up to that sequence number are in. */
  acknowledged(sequence: number): void {
    this.#pending = this.#pending.filter((pending) => pending.sequence > sequence);
    this.#bytes = this.#pending.reduce((sum, { bytes }) => sum + bytes, 0);
  }
}
