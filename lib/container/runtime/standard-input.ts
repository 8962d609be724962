import { close, constants, fstat, open } from 'node:fs';
import { readlink } from 'node:fs/promises';
import { Socket } from 'node:net';
import { promisify } from 'node:util';
import { waitingBytes } from '../../base';
import { ContainerNoInputError } from '../errors';

/** The standard input of a running container. It ends with that run of the container. */
export interface ContainerInput {
  /** The container's first process. */
  readonly pid: number;
  /** Fires when the program takes nothing any more: it has ended, or closed its standard input. */
  readonly ended: AbortSignal;
  /** Resolves when the pipe has taken all of it: so whoever writes waits for a program that does not read. */
  write(text: string): Promise<void>;
  /** Bytes that the program has not read yet; Infinity when that cannot be known any more. */
  unread(): number;
  close(): void;
}

/**
 * Opens the pipe that conmon has made for the container's standard input. conmon holds its own end, so that the program
 * sees no end of it when this one is closed, and the pipe comes back with a restored checkpoint.
 *
 * @param pid the container's first process
 * @throws {ContainerNoInputError}
 */
export async function openStandardInput(name: string, pid: number): Promise<ContainerInput> {
  const path = `/proc/${pid}/fd/0`;
  // A program that has put something else in its place must not have that opened for it.
  const target = await readlink(path).catch(() => '');
  if (!target.startsWith('pipe:')) throw new ContainerNoInputError(name);
  const flags = constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY;
  const descriptor = await promisify(open)(path, flags).catch((cause) => {
    throw new ContainerNoInputError(name, { cause });
  });
  if (!(await promisify(fstat)(descriptor)).isFIFO()) {
    close(descriptor);
    throw new ContainerNoInputError(name);
  }
  return new InputPipe(pid, descriptor);
}

class InputPipe implements ContainerInput {
  readonly #descriptor: number;
  readonly #socket: Socket;
  readonly #ended = new AbortController();

  constructor(
    readonly pid: number,
    descriptor: number,
  ) {
    this.#descriptor = descriptor;
    this.#socket = new Socket({ fd: descriptor, readable: false, writable: true });
    this.#socket.on('error', () => {});
    this.#socket.on('close', () => this.#ended.abort());
  }

  get ended(): AbortSignal {
    return this.#ended.signal;
  }

  write(text: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#socket.write(text, (error) => (error ? reject(error) : resolve()));
    });
  }

  unread(): number {
    if (this.#socket.destroyed) return Number.POSITIVE_INFINITY;
    return this.#socket.writableLength + waitingBytes(this.#descriptor);
  }

  close(): void {
    this.#socket.destroy();
  }
}
