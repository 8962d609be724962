import { readdir, readFile, realpath, stat } from 'node:fs/promises';
import type { DeviceReader } from './device';

/** The machine that this process runs on. Group names are read once for each. */
export function thisMachine(): DeviceReader {
  let names: Promise<Map<string, string>> | undefined;
  const quietly = <T>(work: Promise<T>): Promise<T | undefined> => work.catch(() => undefined);
  return {
    list: async (folder) => ((await quietly(readdir(folder))) ?? []).sort(byNumber),
    read: async (path) => (await quietly(readFile(path, 'utf8')))?.trim(),
    target: (path) => quietly(realpath(path)),
    async group(path) {
      const found = await quietly(stat(path));
      if (!found || !(found.isCharacterDevice() || found.isBlockDevice())) return undefined;
      names ??= groupNames();
      return (await names).get(String(found.gid)) ?? String(found.gid);
    },
  };
}

/** `i2c-2` comes before `i2c-10`. */
export function byNumber(left: string, right: string): number {
  return left.localeCompare(right, 'en', { numeric: true });
}

async function groupNames(): Promise<Map<string, string>> {
  const text = await readFile('/etc/group', 'utf8').catch(() => '');
  return new Map(text.split('\n').map((line) => [line.split(':')[2] ?? '', line.split(':')[0]!]));
}
