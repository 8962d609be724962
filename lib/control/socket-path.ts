import { closeSync, openSync } from 'node:fs';
import { basename, dirname } from 'node:path';

/** Room for a path in `sockaddr_un`, its final zero byte not counted. */
const LONGEST_PATH = 107;

/**
 * A name of the socket that fits into `sockaddr_un`. Data directories may lie deep; a long path is spoken
 * through an open descriptor of its folder.
 */
export function withSocketPath<T>(path: string, use: (path: string) => T): T {
  if (Buffer.byteLength(path) <= LONGEST_PATH) return use(path);
  const folder = openSync(dirname(path), 'r');
  try {
    return use(`/proc/self/fd/${folder}/${basename(path)}`);
  } finally {
    // bind(2) and connect(2) happen synchronously inside listen() and connect().
    closeSync(folder);
  }
}
