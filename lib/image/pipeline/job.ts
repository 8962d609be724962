import type { ErrorDocument } from '../../base';
import type { RingHandle } from './ring';

/** Where a stage reads from. */
export type JobSource = { ring: RingHandle; reader: number } | { file: string };

/** Where a stage puts its bytes; several at once are served one after another with the same bytes. */
export type JobSink =
  | { ring: RingHandle }
  | { file: string }
  | { extract: string; lowerFolders: string[] }
  | { sha256: true };

/** One stage of the pipeline, as a worker is told to run it. */
export interface PumpJob {
  kind: 'pump';
  source: JobSource;
  /** Keeps the bytes as they came, for a later resume; those before `offset` are in the file already. */
  save?: { file: string; offset: number } | undefined;
  decompress: boolean;
  sinks: JobSink[];
}

/** Removes folders with all that is in them. */
export interface RemoveJob {
  kind: 'remove';
  paths: string[];
}

export type Job = PumpJob | RemoveJob;

export interface JobResult {
  /** Bytes that went into the sinks. */
  bytes: number;
  /** Hexadecimal; present when a sink asked for it. */
  sha256?: string;
}

/** An error on its way out of a worker. */
export interface JobFailure extends Partial<ErrorDocument> {
  name: string;
  message: string;
  code?: string;
  path?: string;
  stack?: string;
}

export type JobReply = { result: JobResult } | { failure: JobFailure };
