import type { ContainerRecord } from '../../container';
import type { CheckpointFacts } from '../checkpoint/checkpointer';

/**
 * `live`: memory and files are sent ahead, so that it stands still for a moment only. `cold`: it stands still from
 * the checkpoint on; what cannot be checkpointed is started anew. `elastic`: one more is started at the target, and
 * the old one ended once the new one is ready.
 */
export type MigrationMode = (typeof MIGRATION_MODES)[number];

export const MIGRATION_MODES = ['live', 'cold', 'elastic'] as const;

/** What an application exports goes along, as base64, with the call that has the target run it: 4 MiB at most. In bytes. */
export const LARGEST_STATE = (3 << 20) - (64 << 10);

/** One attempt to move one container; both hosts keep it. */
export interface Ticket {
  id: string;
  name: string;
  mode: MigrationMode;
  /** Peer IDs. */
  from: string;
  to: string;
  /** Grows with each attempt, wherever the container is: what has a lower one is out of date. */
  fence: number;
}

/** An image, by its reference and the digest of its manifest. */
export type ImageName = Pick<ContainerRecord['image'], 'ref' | 'digest'>;

/** What the source asks before anything is moved. */
export interface PreflightRequest {
  name: string;
  record: ContainerRecord;
  /** As process.arch has it. */
  architecture: string;
  /** Of the source's checkpoint engine; null when none is to be used. */
  facts: CheckpointFacts | null;
  /** Bytes of memory and of files that come. */
  memory: number;
  files: number;
}

export interface PreflightAnswer {
  /** In words, all that stands in the way; none when it can come. */
  problems: string[];
  /** Why a checkpoint cannot go on here, where one was asked for; it could still be started anew. */
  checkpointProblems: string[];
  /** The highest fence that the target knows for this name. */
  fence: number;
}

/** What the source asks for when it begins. */
export interface PrepareRequest {
  ticket: Ticket;
  record: ContainerRecord;
  /** Of its connections; null without one. */
  address: string | null;
  /** How the target is to bring it up. */
  start: 'restore' | 'fresh';
  /** Bytes that a dump may take. */
  memory: number;
}

export interface PrepareAnswer {
  address: 'kept' | 'changed' | 'none';
}

export interface RunAnswer {
  /** Milliseconds from the moment when it ran to this answer. */
  sinceRunningMs: number;
}

/** What became of an attempt: it runs at the target, or it never will. */
export type Verdict = 'running' | 'aborted';

/** What became of the source's copy; `pending` until it has heard of the verdict. */
export type SourceOutcome = 'released' | 'kept' | 'pending';
