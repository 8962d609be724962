/** The path of an entry for a system call. */
export function entryPath(root: string, name: string): Buffer {
  return Buffer.from(name === '' ? latin1(root) : `${latin1(root)}/${name}`, 'latin1');
}

export function parentOf(name: string): string {
  return name.slice(0, Math.max(0, name.lastIndexOf('/')));
}

/** A path of this host, with one character for each of its bytes. */
function latin1(path: string): string {
  return Buffer.from(path).toString('latin1');
}
