/** What a file, folder or other entry has beside its content. */
export interface Attributes {
  /** With the bits of its type. */
  mode: number;
  uid: number;
  gid: number;
  /** Seconds and nanoseconds. */
  modified: [number, number];
  /** Names, and values in base64. */
  xattrs: [string, string][];
}

/**
 * One change that makes a copy of a folder like the folder itself. Paths are relative to it, with one character for
 * each byte (names need not be UTF-8); the folder itself is the empty path.
 */
export type FolderChange =
  /** Whatever is there goes, a folder with all in it. */
  | { change: 'remove'; path: string }
  | { change: 'folder'; path: string; attributes: Attributes }
  /** What follows is of this file; a fresh one takes the place of what has its name. */
  | { change: 'file'; path: string; fresh: boolean }
  /** The next `size` bytes of the frame. */
  | { change: 'data'; path: string; offset: number; size: number }
  | { change: 'zeros'; path: string; offset: number; size: number }
  | { change: 'finish'; path: string; size: number; attributes: Attributes }
  /** Another name of the file `to`, which has come before. */
  | { change: 'link'; path: string; to: string }
  | { change: 'symlink'; path: string; target: string; attributes: Attributes }
  /** A device, of which overlayfs's whiteouts are one kind, a FIFO or a socket. */
  | { change: 'node'; path: string; major: number; minor: number; attributes: Attributes };

/** A part of a round: changes, and the bytes of their data one after another. */
export interface FolderBatch {
  changes: FolderChange[];
  bytes: Uint8Array;
  done: boolean;
}
