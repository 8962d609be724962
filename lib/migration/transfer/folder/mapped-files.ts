import { readProc } from '../memory/mappings';

/**
 * Files that processes write through shared memory (mmap(2)). Of several such writes only the first changes the times
 * of the file, until the kernel has brought it to the disk: what was copied in between must be compared by content.
 * That holds for the rest of the transfer, since a mapping may be gone by the next round.
 */
export class MappedFiles {
  /** As the processes see them, with one character for each byte. */
  readonly #paths = new Set<string>();

  /** Adds the files that these processes can write in that way now (proc(5), /proc/PID/maps). */
  note(pids: readonly number[]): void {
    for (const pid of pids) {
      for (const line of readProc(pid, 'maps').split('\n')) {
        const [, path] = /^\S+ .w.s \S+ \S+ \S+\s+(\/.*)$/.exec(line) ?? [];
        if (path !== undefined) this.#paths.add(path.replaceAll('\\012', '\n'));
      }
    }
  }

  /** The names in a folder of those files that lie in it. `mountedAt`: where the processes see the folder. */
  within(mountedAt: readonly string[]): string[] {
    const prefixes = mountedAt.map((path) => Buffer.from(`${path}/`.replace('//', '/')).toString('latin1'));
    return [...this.#paths].flatMap((path) =>
      prefixes.filter((prefix) => path.startsWith(prefix)).map((prefix) => path.slice(prefix.length)),
    );
  }
}
