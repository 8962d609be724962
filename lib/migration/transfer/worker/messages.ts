import type { ErrorDocument } from '../../../base';
import type { Jobs } from './jobs';

export interface JobRequest {
  job: keyof Jobs;
  parameters: unknown[];
}

/** The buffer of a result's `bytes` moves to the other thread. */
export type JobReply = { result: unknown } | { error: ErrorDocument };
