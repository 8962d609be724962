import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type ExecuteOptions, execute, exists, ToolFailedError } from '../../base';
import { LogKeeper } from '../log/keeper';
import type { TimedCall } from '../move/move';
import type { ContainerPaths } from '../paths';
import { createUnderMonitor, findMonitor, killMonitor, type MonitorOptions } from './conmon';
import { identifyProcess, type ProcessIdentity, signalProcess } from './process-identity';
import { findTool } from './tools';

/** Creating a container takes 50 ms on a PC; a busy Pi with a slow card needs much longer. */
const CREATE_TIMEOUT_MS = 60_000;
const CALL_TIMEOUT_MS = 30_000;

/** Drives runc and conmon for the containers of one data directory. */
export class Runtime {
  readonly #paths: ContainerPaths;
  readonly #logs = new LogKeeper();

  constructor(paths: ContainerPaths) {
    this.#paths = paths;
  }

  /** @throws {ToolMissingError} when runc or conmon is not installed */
  async checkTools(): Promise<void> {
    await Promise.all([findTool('runc'), findTool('conmon')]);
  }

  /**
   * Sets a container up from its bundle; its command waits for `start`.
   *
   * @throws {CreateRefused} {ToolMissingError} {ToolTimeoutError}
   */
  async create(id: string, stdin: boolean): Promise<ProcessIdentity> {
    return this.#begin(id, { stdin, timeoutMs: CREATE_TIMEOUT_MS });
  }

  /**
   * Brings a container's processes back from the images of a checkpoint. Its bundle must be there as for `create`.
   *
   * @throws {CreateRefused} {ToolMissingError} {ToolTimeoutError} {AbortedError}
   */
  async restore(
    id: string,
    images: string,
    { stdin, signal, timeoutMs }: TimedCall & { stdin: boolean; timeoutMs: number },
  ): Promise<ProcessIdentity> {
    return this.#begin(id, { images, stdin, signal, timeoutMs });
  }

  /**
   * Writes the processes of a container, which go on unless they are frozen, into a folder of images. CRIU writes its
   * log and what it works with into `work`.
   *
   * @throws {ToolFailedError} {ToolMissingError} {ToolTimeoutError} {AbortedError}
   */
  async checkpoint(
    id: string,
    images: string,
    work: string,
    { signal, timeoutMs }: TimedCall & { timeoutMs: number },
  ): Promise<void> {
    const places = ['--image-path', images, '--work-path', work];
    const options = ['--leave-running', '--tcp-established', '--file-locks'];
    await this.#runc(['checkpoint', ...places, ...options, id], { signal, timeoutMs });
  }

  /** Looks after the log of a container that runs, until it is deleted or this runtime closed. */
  keepLog(id: string): void {
    this.#logs.keep(this.#paths.of(id));
  }

  close(): void {
    this.#logs.close();
  }

  /** Lets the command of a created container begin. */
  async start(id: string): Promise<void> {
    await this.#runc(['start', id]);
  }

  /** Whether the container was created but its command has not begun: runc's FIFO still waits. */
  awaitsStart(id: string): Promise<boolean> {
    return exists(join(this.#paths.runtime, id, 'exec.fifo'));
  }

  /** Kills whatever still runs of a container, and removes runc's state and its cgroups. */
  async delete(id: string): Promise<void> {
    if (!(await exists(join(this.#paths.runtime, id)))) return;
    try {
      await this.#runc(['delete', '--force', id]);
    } catch (error) {
      if (!(error instanceof ToolFailedError)) throw error;
      // State that runc itself cannot read, half written in a crash, is of no use to anybody.
      await rm(join(this.#paths.runtime, id), { recursive: true, force: true });
    }
  }

  /** As `delete`, conmon included. */
  async destroy(id: string): Promise<void> {
    const folder = this.#paths.of(id);
    this.#logs.leave(folder);
    const monitor = await findMonitor(folder);
    await this.delete(id);
    if (monitor) await signalProcess(monitor, 'SIGKILL');
    await killMonitor(folder);
  }

  /** Ids of all containers that runc knows of. */
  async ids(): Promise<string[]> {
    return readdir(this.#paths.runtime);
  }

  async #begin(
    id: string,
    how: Pick<MonitorOptions, 'images' | 'stdin' | 'signal' | 'timeoutMs'>,
  ): Promise<ProcessIdentity> {
    const [runc, conmon] = await Promise.all([findTool('runc'), findTool('conmon')]);
    if (await exists(join(this.#paths.runtime, id))) await this.delete(id);
    const folder = this.#paths.of(id);
    const runtimeRoot = this.#paths.runtime;
    const options = { id, folder, exits: this.#paths.exits, conmon, runc, runtimeRoot };
    const pid = await createUnderMonitor({ ...options, ...how });
    this.keepLog(id);
    const process = await identifyProcess(pid);
    // It only waits for its start: if it is gone already, something killed it.
    if (!process) throw new Error('its first process ended before it was started');
    return process;
  }

  async #runc(args: string[], options: ExecuteOptions = {}): Promise<void> {
    const runc = await findTool('runc');
    await execute(runc, ['--root', this.#paths.runtime, ...args], { timeoutMs: CALL_TIMEOUT_MS, ...options });
  }
}
