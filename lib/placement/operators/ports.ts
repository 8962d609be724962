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

/** A roaming subscriber that the instance holds: `subscriber` in `Messages`, and its topic. */
export interface PortPartition {
  subscriber: string;
  topic: string;
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
}
