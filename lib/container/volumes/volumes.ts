import { randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type DataDirectory, execute, exists, syncFileSystem, syncFolder } from '../../base';
import { resolveInRoot } from '../bundle/rooted-path';
import { VolumeExistsError, VolumeInUseError, VolumeNotFoundError } from '../errors';
import { KeyedLock } from '../keyed-lock';
import type { ContainerPaths } from '../paths';
import type { CompleteSpec } from '../spec/complete';
import { checkVolumeName } from '../spec/mounts';

/** Volumes being filled or removed have names that no volume can have, so that a crash leaves none half done. */
const UNFINISHED = '.';
/** A database in an image may have many gigabytes, and an SD card is slow. */
const FILL_TIMEOUT_MS = 60 * 60_000;

/** A volume of this host, as `volumes` lists it. */
export interface VolumeStatus {
  name: string;
  /** Where its files are on this host. */
  path: string;
  /** Containers that mount it, running or not; of a deploy under way the one that is being made. */
  usedBy: string[];
  /** ISO 8601. */
  createdAt: string;
}

/** The named volumes of a data directory: one folder each, `volumes/NAME/data`. They outlive their containers. */
export class Volumes {
  readonly #folder: string;
  readonly #containers: ContainerPaths;
  readonly #lock = new KeyedLock();

  constructor(directory: DataDirectory, containers: ContainerPaths) {
    this.#folder = directory.join('volumes');
    this.#containers = containers;
  }

  /** Takes away what a crash left unfinished. Call it before any other. */
  async tidy(): Promise<void> {
    const names = await readdir(this.#folder).catch(() => []);
    for (const name of names.filter((entry) => entry.startsWith(UNFINISHED))) {
      await rm(join(this.#folder, name), { recursive: true, force: true });
    }
  }

  /**
   * The folder of a volume. If there is none of that name it is made, with what the image has at `target`:
   * owners, modes and all, as Docker does. The container's record must be kept by then, so that the volume
   * counts as used.
   *
   * @param root where the container's root is mounted, in which nothing runs yet
   */
  ensure(name: string, root: string, target: string): Promise<string> {
    return this.#lock.run(name, async () => {
      const data = this.#dataOf(name);
      if (!(await exists(data))) await this.#make(name, await resolveInRoot(root, target));
      return data;
    });
  }

  /**
   * Makes an empty volume for what comes from elsewhere, and answers its folder.
   *
   * @throws {VolumeExistsError}
   */
  add(name: string): Promise<string> {
    return this.#lock.run(name, async () => {
      if (await exists(join(this.#folder, name))) throw new VolumeExistsError(name);
      await mkdir(this.#folder, { recursive: true, mode: 0o700 });
      const unfinished = this.#unfinished(name);
      await mkdir(join(unfinished, 'data'), { recursive: true, mode: 0o755 });
      await rename(unfinished, join(this.#folder, name));
      return this.#dataOf(name);
    });
  }

  /** Where the files of a volume are. */
  pathOf(name: string): string {
    return this.#dataOf(name);
  }

  /** All volumes by name. */
  async list(): Promise<VolumeStatus[]> {
    const names = await readdir(this.#folder).catch(() => []);
    const users = await this.#users();
    const statuses = names.sort().map(async (name) => {
      const status = name.startsWith(UNFINISHED)
        ? undefined
        : await stat(join(this.#folder, name)).catch(() => undefined);
      if (!status) return [];
      const usedBy = users.filter(({ volumes }) => volumes.has(name)).map(({ container }) => container);
      const createdAt = status.birthtime.toISOString();
      return [{ name, path: this.#dataOf(name), usedBy: [...new Set(usedBy)], createdAt }];
    });
    return (await Promise.all(statuses)).flat();
  }

  /**
   * Removes a volume and its files.
   *
   * @throws {VolumeNotFoundError} {VolumeInUseError} {InvalidArgumentError}
   */
  remove(name: string): Promise<void> {
    checkVolumeName(name, 'name');
    return this.#lock.run(name, async () => {
      if (!(await exists(join(this.#folder, name)))) throw new VolumeNotFoundError(name);
      const users = (await this.#users()).filter(({ volumes }) => volumes.has(name));
      if (users.length > 0) {
        throw new VolumeInUseError(name, [...new Set(users.map(({ container }) => container))]);
      }
      const doomed = this.#unfinished(name);
      await rename(join(this.#folder, name), doomed);
      await syncFolder(this.#folder);
      await rm(doomed, { recursive: true, force: true });
    });
  }

  #dataOf(name: string): string {
    return join(this.#folder, name, 'data');
  }

  #unfinished(name: string): string {
    return join(this.#folder, `${UNFINISHED}${name}.${randomBytes(6).toString('hex')}`);
  }

  async #make(name: string, source: string): Promise<void> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    const unfinished = this.#unfinished(name);
    const data = join(unfinished, 'data');
    try {
      await mkdir(data, { recursive: true, mode: 0o755 });
      if ((await stat(source).catch(() => undefined))?.isDirectory()) {
        // cp keeps owners, times, hard links, devices and extended attributes, and leaves this process alone.
        await execute('cp', ['-a', '--', `${source}/.`, data], { timeoutMs: FILL_TIMEOUT_MS });
        await syncFileSystem(data);
      }
      await rename(unfinished, join(this.#folder, name));
      await syncFolder(this.#folder);
    } catch (error) {
      await rm(unfinished, { recursive: true, force: true });
      throw error;
    }
  }

  /** Who mounts which volumes, from the records of all containers, those being made included. */
  async #users(): Promise<{ container: string; volumes: Set<string> }[]> {
    const ids = await readdir(this.#containers.containers);
    const users = ids.map(async (id) => {
      const text = await readFile(this.#containers.of(id).record, 'utf8').catch(() => undefined);
      if (text === undefined) return [];
      const { spec } = JSON.parse(text) as { spec: CompleteSpec };
      const volumes = spec.mounts.flatMap((mount) => (mount.type === 'volume' ? [mount.source] : []));
      return [{ container: spec.name, volumes: new Set(volumes) }];
    });
    return (await Promise.all(users)).flat();
  }
}
