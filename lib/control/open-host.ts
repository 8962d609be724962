import { setTimeout as delay } from 'node:timers/promises';
import { DataDirectory, DataDirectoryInUseError, GaruaError, type LongCall, PermissionError } from '../base';
import type { LogLine, LogOptions } from '../container';
import { type Host, type HostSettings, LocalHost, type MeshSettings } from '../host';
import { CALLS, REPEATABLE, STREAMS } from './protocol';
import { ControlDisconnectedError, ControlUnreachableError, RemoteCaller } from './remote-caller';
import { ControlServer } from './server';

/** The settings count when this process becomes the owner of the data directory. */
export interface OpenHostOptions extends HostSettings {
  /** Default: `/var/lib/garua` as root, `~/.garua` else. */
  dataDirectory?: string | undefined;
  /** Use only the host that listens here; never become the owner of a data directory. */
  socket?: string | undefined;
  /** How this host meets the others of its fog, when this process becomes the owner. */
  mesh?: MeshSettings | undefined;
  /** A further socket to serve this host on while this process is the owner. */
  listen?: string | undefined;
  /**
   * Restart policies and probes act, in this process while it owns the data directory, else in the one that does; and
   * this one becomes the owner as soon as that one ends. For processes that stay; default false.
   */
  supervise?: boolean | undefined;
}

/** How long to wait for an owner that neither answers nor lets go of the data directory, in milliseconds. */
const OWNER_PATIENCE = 15_000;
/** Between two attempts to find or become the owner, in milliseconds. */
const STAND_BY_PAUSE = 1_000;

type Backend = { local: LocalHost; servers: ControlServer[] } | { remote: RemoteCaller };

/**
 * Opens the host of a data directory. The first process that comes owns it and serves it on the control
 * socket; those that come later talk to that one, and one of them takes over when it ends.
 *
 * @throws {ControlUnreachableError} when `socket` is given and nobody listens there.
 */
export async function openHost(options: OpenHostOptions = {}): Promise<Host> {
  const owner = new Owner(options);
  await owner.connect();
  if (options.supervise && !options.socket) void owner.standBy();
  return hostOver(owner);
}

/** Is the owner of the data directory, or speaks to it while another process is. */
class Owner {
  readonly #options: OpenHostOptions;
  readonly #directory: DataDirectory;
  #backend: Promise<Backend> | undefined;
  #closed = false;
  readonly #closing = new AbortController();

  constructor(options: OpenHostOptions) {
    this.#options = options;
    this.#directory = new DataDirectory(options.dataDirectory);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#closing.abort();
    const backend = await this.#backend?.catch(() => undefined);
    if (backend && 'local' in backend) {
      await Promise.all(backend.servers.map((server) => server.close()));
      await backend.local.close();
    }
  }

  /** Stays connected to the owner, so that this process takes over when that one ends, whether it is asked or not. */
  async standBy(): Promise<void> {
    const { signal } = this.#closing;
    while (!signal.aborted) {
      try {
        // Who owns the directory does so until it closes.
        if ('local' in (await this.connect())) return;
        // To be told of changes is the one call that lasts.
        for await (const _change of this.stream('watch', () => [{ signal, supervise: true }]));
      } catch {
        // The calls that need the host report why it does not answer.
      }
      await delay(STAND_BY_PAUSE, undefined, { signal, ref: false }).catch(() => {});
    }
  }

  /** Finds or becomes the owner. */
  connect(): Promise<Backend> {
    if (this.#closed) return Promise.reject(new ControlDisconnectedError('a call on a closed host'));
    this.#backend ??= this.#open().catch((error) => {
      this.#backend = undefined;
      throw error;
    });
    return this.#backend;
  }

  async call<M extends keyof typeof CALLS>(
    method: M,
    parameters: Parameters<Host[M]>,
  ): Promise<Awaited<ReturnType<Host[M]>>> {
    type Result = Awaited<ReturnType<Host[M]>>;
    const longCall = longCallOf(parameters, CALLS[method]);
    for (;;) {
      const connection = this.connect();
      const backend = await connection;
      if ('local' in backend) {
        const local = backend.local[method] as (...all: Parameters<Host[M]>) => Promise<Result>;
        return local.apply(backend.local, parameters);
      }
      try {
        return (await backend.remote.call(method, withoutFunctions(parameters), longCall)) as Result;
      } catch (error) {
        this.#forgetOrThrow(error, connection, REPEATABLE.has(method));
      }
    }
  }

  /** `parameters` is asked again after a change of owner, for what is still to come. */
  async *stream<T, M extends keyof typeof STREAMS>(
    method: M,
    parameters: () => Parameters<Host[M]>,
  ): AsyncIterable<T> {
    const longCall = longCallOf(parameters(), STREAMS[method]);
    for (;;) {
      const connection = this.connect();
      const backend = await connection;
      if ('local' in backend) {
        const local = backend.local[method] as (...all: Parameters<Host[M]>) => AsyncIterable<T>;
        return yield* local.apply(backend.local, parameters());
      }
      try {
        const items = backend.remote.stream(method, withoutFunctions(parameters()), longCall);
        return yield* items as AsyncIterable<T>;
      } catch (error) {
        this.#forgetOrThrow(error, connection, REPEATABLE.has(method));
      }
    }
  }

  /** The owner has gone: the next attempt finds the new one, or becomes it. */
  #forgetOrThrow(error: unknown, connection: Promise<Backend>, repeatable: boolean): void {
    const again =
      error instanceof ControlUnreachableError || (error instanceof ControlDisconnectedError && repeatable);
    if (!again || this.#options.socket || this.#closed) throw error;
    // Another call may have found the new owner already.
    if (this.#backend === connection) this.#backend = undefined;
  }

  async #open(): Promise<Backend> {
    const { socket, name, site, nas, quota, nodeRed, nodeRedTokenFile, mesh, listen, supervise } =
      this.#options;
    if (socket) return { remote: await reach(socket) };
    const deadline = Date.now() + OWNER_PATIENCE;
    for (;;) {
      let denied: PermissionError | undefined;
      try {
        const local = await LocalHost.open({
          dataDirectory: this.#directory.path,
          name,
          site,
          nas,
          quota,
          nodeRed,
          nodeRedTokenFile,
          mesh,
          supervise,
        });
        const sockets = [this.#directory.controlSocket, ...(listen ? [listen] : [])];
        return { local, servers: await serve(local, sockets) };
      } catch (error) {
        // Who may not own the directory may still be allowed to speak to its owner.
        if (error instanceof PermissionError) denied = error;
        else if (!(error instanceof DataDirectoryInUseError)) throw error;
      }
      try {
        return { remote: await reach(this.#directory.controlSocket) };
      } catch (error) {
        // The owner is starting or ending.
        if (!(error instanceof GaruaError) || error.code === 'ERR_PERMISSION') throw error;
        if (denied) throw denied;
        if (Date.now() > deadline) throw new DataDirectoryInUseError(this.#directory.path);
      }
      await delay(50);
    }
  }
}

/** The calls of `Host`, passed on; what is written out does more. */
function hostOver(owner: Owner): Host {
  const calls = Object.keys(CALLS).map((method) => [
    method,
    (...parameters: never) => owner.call(method as keyof typeof CALLS, parameters),
  ]);
  const streams = Object.keys(STREAMS).map((method) => [
    method,
    (...parameters: never) => owner.stream(method as keyof typeof STREAMS, () => parameters),
  ]);
  return {
    ...(Object.fromEntries([...calls, ...streams]) as Host),
    logs: (name, options) => logs(owner, name, options),
    close: () => owner.close(),
  };
}

/** Goes on after the last line when the owner changes. */
async function* logs(owner: Owner, name: string, options: LogOptions = {}): AsyncIterable<LogLine> {
  let rest = options;
  for await (const line of owner.stream<LogLine, 'logs'>('logs', () => [name, rest])) {
    rest = { ...options, since: line.time, tail: undefined };
    yield line;
  }
}

async function serve(local: LocalHost, paths: string[]): Promise<ControlServer[]> {
  const servers: ControlServer[] = [];
  try {
    for (const path of paths) servers.push(await ControlServer.listen(local, path));
    return servers;
  } catch (error) {
    for (const server of servers) await server.close();
    await local.close();
    throw error;
  }
}

async function reach(path: string): Promise<RemoteCaller> {
  const remote = new RemoteCaller(path);
  await remote.call('info', []);
  return remote;
}

function longCallOf(parameters: unknown[], index: number): LongCall {
  return (parameters[index] ?? {}) as LongCall;
}

/** The parameters as data: `signal` and `onProgress` stay on this side. */
function withoutFunctions(parameters: unknown[]): unknown[] {
  return parameters.map((parameter) => {
    if (typeof parameter !== 'object' || parameter === null || Array.isArray(parameter)) return parameter;
    const { signal: _signal, onProgress: _onProgress, ...data } = parameter as LongCall;
    return data;
  });
}
