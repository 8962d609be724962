/** What an entry makes, whatever type flag the archive's dialect has for it. */
export type EntryType = 'file' | 'hardlink' | 'symlink' | 'character' | 'block' | 'directory' | 'fifo';

/** Seconds since 1970 and nanoseconds (0 to 999,999,999) after them. */
export interface Timestamp {
  seconds: number;
  nanoseconds: number;
}

/** `offset, length` pairs: where the data of a sparse file belongs. */
export type SparseMap = number[];

/**
 * One member of an archive, all its extension headers applied. Names are byte strings: each character is one
 * byte (Latin-1), since names in a tar need not be UTF-8.
 */
export interface TarEntry {
  type: EntryType;
  name: string;
  linkName: string;
  /** The twelve permission bits. */
  mode: number;
  uid: number;
  gid: number;
  modified: Timestamp;
  /** Bytes of data in the archive. */
  size: number;
  major: number;
  minor: number;
  xattrs: [name: string, value: Buffer][];
  /** Of a sparse file: where its data goes and how long it is with its holes. */
  sparse?: { map: SparseMap; size: number };
}
