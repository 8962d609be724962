import { createHash } from 'node:crypto';
import { accessSync, constants } from 'node:fs';
import { mkdir, rmdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { DataDirectory } from '../base';

/** Where one data directory's containers keep their files. */
export class ContainerPaths {
  /** One folder per container. */
  readonly containers: string;
  /** conmon leaves an exit status here, in a file named after the container's id. */
  readonly exits: string;
  /** runc's own state. Below /run it ends with the boot, as the containers do. */
  readonly runtime: string;

  constructor(dataDirectory: DataDirectory) {
    this.containers = dataDirectory.join('containers');
    this.exits = dataDirectory.join('container-exits');
    // The hash keeps data directories apart and socket names within their 108 bytes.
    const key = createHash('sha256').update(dataDirectory.path).digest('hex').slice(0, 12);
    const base = canWrite('/run') ? `/run/garua/${key}` : dataDirectory.join('run');
    this.runtime = join(base, 'runc');
  }

  async create(): Promise<void> {
    for (const path of [this.containers, this.exits, this.runtime]) {
      await mkdir(path, { recursive: true, mode: 0o700 });
    }
  }

  /** Leaves no empty folders under /run when there is no container. */
  async tidy(): Promise<void> {
    for (
      let path = this.runtime;
      path !== '/run' && path !== dirname(this.containers);
      path = dirname(path)
    ) {
      try {
        await rmdir(path);
      } catch {
        return;
      }
    }
  }

  of(id: string): ContainerFolder {
    return new ContainerFolder(join(this.containers, id), join(this.exits, id));
  }
}

/** The files of one container. It is also its OCI bundle. */
export class ContainerFolder {
  constructor(
    readonly path: string,
    /** Written by conmon when the container has ended. */
    readonly exitFile: string,
  ) {}

  /** What was asked for and from what image: all that a start needs. */
  get record(): string {
    return join(this.path, 'container.json');
  }
  get config(): string {
    return join(this.path, 'config.json');
  }
  /** What the container has written: overlayfs's upper layer. */
  get upper(): string {
    return join(this.path, 'upper');
  }
  get work(): string {
    return join(this.path, 'work');
  }
  /** Stands in for the layers of an image that has none. */
  get empty(): string {
    return join(this.path, 'empty');
  }
  get root(): string {
    return join(this.path, 'root');
  }
  /** Generated files that are mounted into the container. */
  get files(): string {
    return join(this.path, 'files');
  }
  get logs(): string {
    return join(this.path, 'log');
  }
  get log(): string {
    return join(this.logs, 'container.log');
  }
  get pidFile(): string {
    return join(this.path, 'container.pid');
  }
  get monitorPidFile(): string {
    return join(this.path, 'conmon.pid');
  }
  get monitorOutput(): string {
    return join(this.path, 'conmon.txt');
  }
  /** Is there while the container leaves or arrives. */
  get marker(): string {
    return join(this.path, 'moving.json');
  }
  /** conmon's notes, such as one that the kernel ran out of memory. */
  get notes(): string {
    return join(this.path, 'notes');
  }
}

function canWrite(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
