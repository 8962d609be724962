import { closeSync, constants, openSync } from 'node:fs';
import { chmod, chown, mkdir, readFile, stat } from 'node:fs/promises';
import { exists, mount, unmountDetached } from '../base';
import type { LayerMount } from '../image/image';
import { LayerMissingError, RootMountError } from './errors';
import type { ContainerFolder } from './paths';

/**
 * Mounts a container's root: its own upper layer over the image's layers (kernel,
 * Documentation/filesystems/overlayfs). `layers`: bottom first. Whatever was mounted there before is taken
 * away first.
 *
 * @throws {LayerMissingError} {RootMountError}
 */
export async function mountRoot(name: string, folder: ContainerFolder, layers: LayerMount[]): Promise<void> {
  unmountRoot(folder);
  const made = [folder.upper, folder.work, folder.root, folder.empty];
  await Promise.all(made.map((path) => mkdir(path, { recursive: true, mode: 0o700 })));
  // In the option lowerdir the topmost layer comes first.
  const lower = layers.map(({ path }) => path).reverse();
  if (lower.length === 0) lower.push(folder.empty);
  await copyOwnership(name, lower[0]!, folder.upper);
  const noIndex = (await exists('/sys/module/overlay/parameters/index')) ? ',index=off' : '';
  mountThroughDescriptors(name, folder, lower, noIndex);
}

/** Harmless when nothing is mounted there. */
export function unmountRoot(folder: ContainerFolder): void {
  try {
    unmountDetached(folder.root);
  } catch (error) {
    if (!['EINVAL', 'ENOENT'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
  }
}

/** The mount points below a folder, from the kernel's list. */
export async function mountPointsBelow(folder: string): Promise<string[]> {
  const lines = (await readFile('/proc/self/mountinfo', 'utf8')).split('\n');
  return lines
    .map((line) =>
      (line.split(' ')[4] ?? '').replace(/\\(\d{3})/g, (_, octal) => String.fromCharCode(parseInt(octal, 8))),
    )
    .filter((path) => path.startsWith(`${folder}/`));
}

/** The root folder's owner and mode are those of the upper layer; every user has to be able to enter it. */
async function copyOwnership(name: string, from: string, to: string): Promise<void> {
  const status = await stat(from).catch((cause) => {
    throw new LayerMissingError(name, from, { cause });
  });
  await chown(to, status.uid, status.gid);
  await chmod(to, (status.mode & 0o7777) | 0o555);
}

/**
 * The option string is limited to one page. Naming the layers by open descriptors keeps it short whatever
 * their paths are, for over 200 layers, and there are no characters to escape.
 */
function mountThroughDescriptors(name: string, folder: ContainerFolder, lower: string[], more: string): void {
  const open: number[] = [];
  const short = (path: string) => {
    const descriptor = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY);
    open.push(descriptor);
    return `/proc/self/fd/${descriptor}`;
  };
  try {
    const lowerdir = lower.map(short).join(':');
    const options = `lowerdir=${lowerdir},upperdir=${short(folder.upper)},workdir=${short(folder.work)}${more}`;
    if (options.length > 4095) {
      throw new RootMountError(
        `container ${name}: an image of ${lower.length} layers has too many to be mounted`,
      );
    }
    mount('overlay', folder.root, 'overlay', 0, options);
  } catch (cause) {
    const { code, path, message } = cause as NodeJS.ErrnoException;
    if (cause instanceof RootMountError) throw cause;
    if (code === 'ENOENT' && path !== folder.root) throw new LayerMissingError(name, String(path), { cause });
    throw new RootMountError(`container ${name}: its root cannot be mounted: ${message}`, { cause });
  } finally {
    for (const descriptor of open) closeSync(descriptor);
  }
}
