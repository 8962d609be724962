import { setTimeout as delay } from 'node:timers/promises';
import { AbortedError, DataDirectory } from '../../lib/base';
import type { ContainerStatus } from '../../lib/container';
import { type OpenHostOptions, openHost } from '../../lib/control';
import type { Host } from '../../lib/host';

/** Called with each change; `initial` marks what was already so when listening began. */
export type ContainerListener = (status: ContainerStatus, initial: boolean) => void;

/** One node's share of a host. */
export interface HostLease {
  /** The same for all leases of the same host. */
  readonly key: string;
  /** Opens the host at the first call; a failed attempt is repeated at the next. */
  host(): Promise<Host>;
  /** Hears of all containers of the host until the returned function is called. */
  onContainer(listener: ContainerListener): () => void;
  /** The last release closes the host; containers go on running. */
  release(): Promise<void>;
}

const FIRST_PAUSE = 1_000;
const LONGEST_PAUSE = 30_000;
/** A host that is still being opened is not waited for: Node-RED ends a node after 15 s. */
const CLOSE_PATIENCE = 5_000;

/** Lets all nodes of this process share one `Host` per data directory or socket. */
export class HostPool {
  readonly #open: typeof openHost;
  readonly #hosts = new Map<string, SharedHost>();

  constructor(open: typeof openHost = openHost) {
    this.#open = open;
  }

  acquire(options: OpenHostOptions): HostLease {
    const key = options.socket
      ? `socket ${options.socket}`
      : `data ${new DataDirectory(options.dataDirectory).path}`;
    let shared = this.#hosts.get(key);
    if (!shared) {
      shared = new SharedHost(this.#open);
      this.#hosts.set(key, shared);
    }
    return shared.lease(key, options);
  }
}

class SharedHost {
  readonly #open: typeof openHost;
  readonly #listeners = new Set<ContainerListener>();
  #users = 0;
  #host: Promise<Host> | undefined;
  #closed: Promise<void> = Promise.resolve();
  #watch: AbortController | undefined;

  constructor(open: typeof openHost) {
    this.#open = open;
  }

  lease(key: string, options: OpenHostOptions): HostLease {
    this.#users += 1;
    let released = false;
    // One that was given back is not opened again: nobody would close it.
    const host = () =>
      released ? Promise.reject(new AbortedError('the use of the host')) : this.#get(options);
    return {
      key,
      host,
      onContainer: (listener) => {
        this.#listeners.add(listener);
        if (this.#watch) void this.#report(host, [listener]);
        else void this.#keepWatching(host);
        return () => this.#listeners.delete(listener);
      },
      release: async () => {
        if (released) return;
        released = true;
        this.#users -= 1;
        if (this.#users === 0) await this.#close();
      },
    };
  }

  #get(options: OpenHostOptions): Promise<Host> {
    // A host that is being closed still owns its data directory.
    if (this.#host) return this.#host;
    const opening = this.#closed
      .then(() => this.#open({ ...options, supervise: true }))
      .catch((error) => {
        // A later attempt may have taken its place.
        if (this.#host === opening) this.#host = undefined;
        throw error;
      });
    this.#host = opening;
    return opening;
  }

  async #close(): Promise<void> {
    this.#watch?.abort();
    this.#watch = undefined;
    const host = this.#host;
    this.#host = undefined;
    if (!host) return;
    this.#closed = host.then((opened) => opened.close()).catch(() => {});
    await Promise.race([this.#closed, delay(CLOSE_PATIENCE, undefined, { ref: false })]);
  }

  /** Watches until the last lease is released; a host that cannot be reached is tried again. */
  async #keepWatching(host: () => Promise<Host>): Promise<void> {
    const watch = new AbortController();
    const { signal } = watch;
    this.#watch = watch;
    let pause = FIRST_PAUSE;
    while (!signal.aborted) {
      try {
        const changes = (await host()).watch({ signal })[Symbol.asyncIterator]();
        let next = changes.next();
        next.catch(() => {});
        await this.#report(host, this.#listeners);
        pause = FIRST_PAUSE;
        for (let change = await next; !change.done; change = await next) {
          for (const listener of this.#listeners) listener(change.value, false);
          next = changes.next();
        }
      } catch {
        // The calls that need the host report why it does not answer.
      }
      await delay(pause, undefined, { signal, ref: false }).catch(() => {});
      pause = Math.min(pause * 2, LONGEST_PAUSE);
    }
  }

  /** Tells the state of affairs, which also makes up for changes missed while the host was away. */
  async #report(host: () => Promise<Host>, listeners: Iterable<ContainerListener>): Promise<void> {
    try {
      const containers = await (await host()).containers();
      for (const status of containers) for (const listener of listeners) listener(status, true);
    } catch {
      // As above.
    }
  }
}

/** The pool of this process. */
export const hostPool = new HostPool();
