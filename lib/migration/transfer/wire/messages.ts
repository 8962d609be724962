import type { ErrorDocument } from '../../../base';
import type { ImageBatch } from '../dump/images';
import type { PageRun } from '../dump/runs';
import type { FolderChange } from '../folder/changes';

/**
 * What the source tells the target; the bytes that belong to it follow in the same frame. After each `sync`, and after
 * `done`, the target answers, so that the source knows that all before it is in place.
 */
export type SourceMessage =
  /** Pages that the target is to keep; they are numbered in the order in which they come. */
  | { kind: 'pages' }
  /** Changes of one folder, in order; the bytes are those of the pieces of files, one after another. */
  | { kind: 'folder'; folder: string; changes: FolderChange[] }
  /** A file of the dump, to be built of runs of pages; the bytes are those of its new pages. */
  | { kind: 'dump'; file: string; runs: PageRun[] }
  /** The end of a dump file, and the digest of the digests of its pages that are not zero. */
  | { kind: 'dump-end'; file: string; digest: string }
  /** Pieces of files of the dump that hold no pages; the bytes are theirs, one after another. */
  | { kind: 'images'; pieces: ImageBatch['pieces'] }
  /** A piece of the container's log. */
  | { kind: 'log'; offset: number }
  /** `toDisk`: the files that came are also to be on the disk. */
  | { kind: 'sync'; toDisk: boolean }
  /** Nothing more comes. */
  | { kind: 'done' };

/** What the target answers. */
export type TargetMessage =
  /** First of all: how many pages it will keep. */
  { kind: 'welcome'; pageLimit: number } | { kind: 'synced' } | { kind: 'failed'; error: ErrorDocument };
