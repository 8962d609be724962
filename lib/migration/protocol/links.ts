import type { LongCall } from '../../base';
import type { Sender } from '../transfer';
import type {
  ImageName,
  PreflightAnswer,
  PreflightRequest,
  PrepareAnswer,
  PrepareRequest,
  RunAnswer,
  SourceOutcome,
  Ticket,
  Verdict,
} from './messages';

/** The way by which memory and files go. */
export type Transfer = Pick<
  Sender,
  'warmUp' | 'sendFolders' | 'sendDump' | 'sendLog' | 'settle' | 'finish' | 'close' | 'bytesSent'
>;

/** What the source asks of the target. All calls may fail because it cannot be reached. */
export interface TargetLink {
  preflight(request: PreflightRequest, options?: LongCall): Promise<PreflightAnswer>;
  /** Brings the image there, which may take long; nothing else happens yet. */
  fetch(image: ImageName, options?: LongCall): Promise<void>;
  /** Brings the image there, if it is not, and makes all ready. */
  prepare(request: PrepareRequest, options?: LongCall): Promise<PrepareAnswer>;
  transfer(ticket: Ticket): Promise<Transfer>;
  /**
   * Brings the container up; `state` is what its application has exported, for its import. From this call on the
   * target decides; when it fails, ask for the verdict.
   */
  run(ticket: Ticket, state?: string): Promise<RunAnswer>;
  /** The target's verdict, after which it stays so: what has not been told to run by now never will. */
  decide(ticket: Ticket): Promise<Verdict>;
  /** The source has let go of its copy. */
  settled(ticket: Ticket): Promise<void>;
}

/** What the target asks of the source. */
export interface SourceLink {
  outcome(ticket: Ticket): Promise<SourceOutcome>;
}
