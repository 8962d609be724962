import type { ErrorDocument } from '../../base';
import type { Jobs } from './jobs';

export interface DiskRequest {
  job: keyof Jobs;
  parameters: unknown[];
}

export interface DiskFailure {
  code: string;
  message: string;
  path?: string | undefined;
  /** The error as it was thrown, when it was one of Garua's. */
  known?: ErrorDocument | undefined;
  /** Of a damaged object: the first wrong leaf. */
  leaf?: number | undefined;
}

export interface DiskReply {
  result?: unknown;
  failure?: DiskFailure | undefined;
}
