import { setTimeout as delay } from 'node:timers/promises';
import { GaruaError, throwIfAborted } from '../../../base';
import type { PortAnswer, PortOrder } from '../ports';
import { InstanceSilentError } from './errors';
import type { PortCommands } from './port-commands';

/** How long the nodes of a new tab may take to come, in ms: a small machine loads them slowly. */
const ATTACH_LIMIT = 30_000;
/** How long nodes may take to come back after this host, or their Node-RED, has started, in ms. */
const RETURN_LIMIT = 8_000;
/** How long an instance may take to finish what it has begun, and to answer, in ms. */
const COMMAND_LIMIT = 15_000;

/** The nodes of this host's instances, in its Node-RED: waits for them, and commands them. */
export class InstanceNodes {
  readonly #ports: PortCommands;
  readonly #closing: AbortSignal;

  /** `closing`: the host ends; nobody is waited for then. */
  constructor(ports: PortCommands, closing: AbortSignal) {
    this.#ports = ports;
    this.#closing = closing;
  }

  /** Waits for the nodes of a new instance. @throws {InstanceSilentError} {AbortedError} */
  async come(instance: string, signal?: AbortSignal): Promise<void> {
    await this.#attached(instance, ATTACH_LIMIT, signal);
  }

  /** @throws {InstanceSilentError} {AbortedError} and what the nodes answer */
  async command(instance: string, order: PortOrder, limit = COMMAND_LIMIT): Promise<PortAnswer> {
    await this.#attached(instance, Math.min(limit, RETURN_LIMIT));
    try {
      const signal = AbortSignal.any([this.#closing, AbortSignal.timeout(limit)]);
      return await this.#ports.command(instance, order, { signal });
    } catch (cause) {
      const isOverdue = cause instanceof GaruaError && cause.code === 'ERR_ABORTED' && !this.#closing.aborted;
      if (cause instanceof GaruaError && !isOverdue) throw cause;
      throw new InstanceSilentError(instance, { cause });
    }
  }

  async #attached(instance: string, limit: number, signal?: AbortSignal): Promise<void> {
    const end = performance.now() + limit;
    while (!this.#ports.isAttached(instance)) {
      for (const each of [signal, this.#closing]) throwIfAborted(each, `waiting for ${instance}`);
      if (performance.now() > end) throw new InstanceSilentError(instance);
      await delay(20);
    }
  }
}
