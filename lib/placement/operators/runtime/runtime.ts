import type { ErrorDocument } from '../../../base';
import type { Resources } from '../../controller';
import type { OperatorBody } from '../flow';
import type { PortMeasures, PortTarget } from '../ports';

/** One running copy of an operator, as its owner wants it. */
export interface InstanceSpec {
  /** Unique in the fog. */
  instance: string;
  /** Peer ID of the host whose flow it belongs to, which alone may ask for it. */
  owner: string;
  /** The operator, unique at its owner. */
  operator: string;
  /** Which of its copies: counted up by moves and rescales. */
  number: number;
  /** Its place among the copies: the one that replaces it has the same, and on one host shares its lease. */
  slot: number;
  /** For people. */
  name: string;
  body: OperatorBody;
  /** Part of a core. */
  cpu: number;
  /** In MiB. */
  memory: number;
  device?: string | undefined;
  /** The property of a message that holds its key; absent where it has no keys. */
  key?: string | undefined;
  /** Where each output's messages go. */
  targets: PortTarget[][];
}

/** A roaming subscriber that an instance holds, or is to hold: its name is also its topic. */
export type Subscriber = string;

/** What passes from an instance to the next. */
export interface Handover {
  /** As base64; null when the nodes have none. */
  state: string | null;
}

export interface TakeOver extends Handover {
  /** Peer ID of the host that has handed over; it may be the same. */
  from: string;
  subscribers: Subscriber[];
  epoch: number;
}

/** An instance as its host sees it. */
export interface InstanceReport {
  instance: string;
  holds: Subscriber[];
  /** Whether its nodes answer. */
  isAttached: boolean;
  measures: PortMeasures | null;
}

/** What a host says of itself and of one owner's operators. */
export interface RuntimeReport {
  /** What could be granted now, memory in MiB. */
  free: Resources;
  /** Node types of its Node-RED, or why it cannot be used. */
  nodeRed: { types: string[] } | { error: ErrorDocument };
  /** Of those that were asked for, the devices it has. */
  devices: string[];
  /** To other hosts by peer ID, in ms. */
  roundTrips: Record<string, number>;
  /** Those of the owner that asks. */
  instances: InstanceReport[];
  /** Messages that wait here for operators of that owner, by topic. */
  waiting: Record<string, number>;
}

/**
 * Runs operators on one host. Only their owner asks; each call may be repeated until it answers. An instance goes on
 * whatever becomes of its owner, and after a restart of the host or of its Node-RED. Whoever gives up waiting, by
 * `signal`, does not know whether it was done.
 */
export interface OperatorRuntime {
  look(owner: string, devices: string[], signal?: AbortSignal): Promise<RuntimeReport>;
  /**
   * Starts an instance that gets no messages yet; nothing of it stays where that fails.
   *
   * @throws ERR_LEASE_REFUSED, ERR_NODE_RED_TYPES_MISSING and what else the Admin API answers,
   *   ERR_OPERATOR_NO_NODE_RED, ERR_OPERATOR_DEVICE_MISSING, ERR_OPERATOR_SILENT
   */
  start(spec: InstanceSpec, signal?: AbortSignal): Promise<void>;
  /** Lets it have the messages of subscribers that no host has held before. */
  hold(
    owner: string,
    instance: string,
    subscribers: Subscriber[],
    epoch: number,
    signal?: AbortSignal,
  ): Promise<void>;
  /** Stops it taking messages of these, and hands them over with the state of their keys. */
  handOver(
    owner: string,
    instance: string,
    subscribers: Subscriber[],
    signal?: AbortSignal,
  ): Promise<Handover>;
  /** Fetches them and the state, and lets the instance go on with them. */
  takeOver(owner: string, instance: string, request: TakeOver, signal?: AbortSignal): Promise<void>;
  /**
   * Gives up taking them over, for good.
   * @returns whether none of them is held here: the other host may take them back then.
   */
  renounce(
    owner: string,
    instance: string,
    subscribers: Subscriber[],
    signal?: AbortSignal,
  ): Promise<boolean>;
  /** Undoes `handOver`. */
  takeBack(
    owner: string,
    instance: string,
    subscribers: Subscriber[],
    epoch: number,
    signal?: AbortSignal,
  ): Promise<void>;
  /** Drops what was handed over, once another instance has it. */
  release(owner: string, instance: string, subscribers: Subscriber[], signal?: AbortSignal): Promise<void>;
  /** Ends it, and drops what waits for it. One that is no more is no error. */
  remove(owner: string, instance: string, signal?: AbortSignal): Promise<void>;
}
