import type { ErrorDocument } from '../../../base';

/** What a host asks of an operator's instance in its Node-RED; answered by the `fog-port-in` node of its tab. */
export type PortCommand = { id: number } & (
  | { type: 'start'; partitions: PortPartition[] }
  /** Take no more messages of these partitions; answered when all that it took has been handled. */
  | { type: 'pause'; partitions: string[] }
  /** The state of these partitions' keys (all, of an operator without keys), which must be paused. */
  | { type: 'snapshot'; partitions: string[] }
  /** Adds a state to that of the nodes. */
  | { type: 'restore'; state: string }
  | { type: 'forget'; partitions: string[] }
  | { type: 'measure' }
);

/** A command without its number. */
export type PortOrder = PortCommand extends infer Each
  ? Each extends { id: number }
    ? Omit<Each, 'id'>
    : never
  : never;

/** A roaming subscriber that the instance holds: `subscriber` in `Messages`, and its topic. */
export interface PortPartition {
  subscriber: string;
  topic: string;
}

/** By which the nodes of an operator's instance hear their host, and answer it. */
export interface PortHost {
  /**
   * The commands for an instance that runs on this machine, until the signal fires or another node asks for them.
   */
  operatorPort(instance: string, options?: { signal?: AbortSignal | undefined }): AsyncIterable<PortCommand>;
  /** The answer to a command, or why it failed. */
  answerPort(instance: string, id: number, answer: PortAnswer | { error: ErrorDocument }): Promise<void>;
}

/** What a command is answered with: `state` by `snapshot`, as base64; `measures` by `measure`. */
export interface PortAnswer {
  state?: string | undefined;
  measures?: PortMeasures | undefined;
}

/** Since the answer before. */
export interface PortMeasures {
  spanMs: number;
  /** Time in which the instance's nodes used the event loop. */
  handlerMs: number;
  messagesIn: number;
  bytesIn: number;
  /** By topic. */
  out: Record<string, { messages: number; bytes: number }>;
  /** Messages that wait inside for the operator's share of the core. */
  deferred: number;
  /** What went wrong in a container, in words. */
  problem?: string | undefined;
}

/** What the host that starts an instance fills in at each of its `fog-port-in` and `fog-port-out` nodes. */
export interface PortSettings {
  /** The instance, unique in the fog. */
  instance: string;
  /** Where the daemon that started it has its data: the host to be asked. */
  dataDirectory: string;
}

/** More of these at a `fog-port-in`. */
export interface PortInSettings extends PortSettings {
  /**
   * For each id of a node of the instance, one that is the same in all instances of the operator: states know nodes by
   * it. The ids themselves differ, because a Node-RED takes none twice.
   */
  origins: Record<string, string>;
  /** The property of a message that holds its key; absent where the operator has no keys. */
  key?: string | undefined;
  /** The part of a core that the instance may use. */
  cpu: number;
}

/** More of these at a `fog-port-out`. */
export interface PortOutSettings extends PortSettings {
  /** Which output of the operator it is. */
  output: number;
  /** Where its messages go. */
  targets: PortTarget[];
}

/** A topic that an output publishes to. */
export interface PortTarget {
  topic: string;
  /**
   * Whether it is the input of an operator: a roaming subscriber of the topic's own name, which gets what is published
   * before it is there too (`expectSubscriber`).
   */
  isOperator: boolean;
  /** The property of a message that holds its key: it goes to the topic of the key's partition then, `TOPIC/0` to `TOPIC/63`. */
  key?: string | undefined;
}
