import type { MultiaddrConnection } from '@libp2p/interface' with { 'resolution-mode': 'import' };

const PER_ADDRESS = 16;

/** Limits how many connections that have not proven anything yet one address may hold open. */
export class StrangerQuota {
  readonly #pending = new Map<unknown, string>();

  /** Whether there is room for one more. It must settle, or close. */
  admit(connection: MultiaddrConnection): boolean {
    const address = connection.remoteAddr.toString().split('/').slice(0, 3).join('/');
    const count = [...this.#pending.values()].filter((other) => other === address).length;
    if (count >= PER_ADDRESS) return false;
    this.#pending.set(connection, address);
    connection.addEventListener('close', () => this.settle(connection));
    return true;
  }

  settle(connection: unknown): void {
    this.#pending.delete(connection);
  }
}
