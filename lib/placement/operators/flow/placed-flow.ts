import type { ErrorDocument } from '../../../base';
import type { ContainerSpec } from '../../../container';
import type { PlacementWeights } from '../../placement';
import type { FlowNode } from '../subflow';

/** What an operator is: nodes for a tab of the target's Node-RED, or a container that reads and writes JSON lines. */
export type OperatorBody =
  | {
      kind: 'subflow';
      /** As from `expandSubflow`, its entry and exits being `fog-port-in` and `fog-port-out` nodes. */
      nodes: FlowNode[];
      configs: FlowNode[];
      /** Node types that the target must have. */
      types: string[];
    }
  | {
      kind: 'container';
      /** Its name, limits, standard input and, unless it says otherwise, network and restarts come from the operator. */
      spec: ContainerSpec;
      /** When a message is done: the program has read it, or has written a line with the same `_garua`. */
      done: 'read' | 'answered';
    };

/** One operator of a flow, and what it needs. */
export interface PlacedOperator {
  /** Unique in the flow. */
  id: string;
  /** For people. */
  name: string;
  body: OperatorBody;
  /** Part of a core that it is granted, such as 0.25. */
  cpu: number;
  /** In MiB. */
  memory: number;
  /** Sites where it may run; all when absent. */
  allowed?: string[] | undefined;
  /** The one site where it runs. */
  pin?: string | undefined;
  /** A device that its host must have, such as `/dev/video0`. */
  device?: string | undefined;
  /**
   * Whether its messages have keys, so that it may run as several instances: its input is then 64 topics, one for
   * each partition (`inputTopic`).
   */
  keyed: boolean;
  /** The property of a message that holds its key, where it is keyed: senders need it. */
  key?: string | undefined;
  /** The fewest and the most instances; both 1 where it is not keyed. */
  instances: { least: number; most: number };
  /** For each output, the operators of this flow that its messages go to, from site to site, and topics besides. */
  outputs: OperatorOutput[];
}

export interface OperatorOutput {
  /** Ids of operators of the same flow. */
  operators: string[];
  /** Other topics, such as the one by which the messages come back to the flow. */
  topics: string[];
}

/** All operators of the flows of one Node-RED, which are placed together. The host that is asked owns them. */
export interface PlacedFlow {
  /** Unique at its owner, and the same after a restart. */
  id: string;
  operators: PlacedOperator[];
  /** Where messages come in from outside and leave to: which operators the owner's own site feeds and hears. */
  weights: PlacementWeights;
  /** Between two looks at where they should be, in seconds. Default 30. */
  everySeconds?: number | undefined;
  /** For how long a gain must last to pay for a move, in seconds. Default 600. */
  horizonSeconds?: number | undefined;
  /** Moves at a time. Default 2. */
  mostMoves?: number | undefined;
}

/** `waiting`: for a host that is away, or for room; why is in `reason`. */
export type OperatorState = 'starting' | 'running' | 'moving' | 'waiting' | 'failed';

/** An instance of an operator, somewhere. */
export interface OperatorInstance {
  /** Counted up by moves and rescales. */
  instance: string;
  host: string;
  site: string;
  /** Of a keyed operator, how many of the 64 it has. */
  partitions: number;
}

/** An operator as its owner sees it. */
export interface OperatorStatus {
  flow: string;
  operator: string;
  name: string;
  /** What it is made of. */
  kind: OperatorBody['kind'];
  state: OperatorState;
  instances: OperatorInstance[];
  /** Messages a second into it, smoothed; null while it was not measured. */
  rate: number | null;
  /** Handler time as a part of a core, smoothed; null while it was not measured. */
  cores: number | null;
  /** Messages that wait for it at all senders that could be asked. */
  waiting: number;
  /** The last decision about it in plain words, such as "moved to Quay: saves 18 ms and 40 kB/s". */
  reason: string;
  error?: ErrorDocument | undefined;
}

/** What becomes of the operators of a flow: each status as it changes; of a move, what it cost. */
export type FlowEvent =
  | { type: 'status'; status: OperatorStatus }
  | { type: 'moved'; operator: string; from: string; to: string; pausedMs: number; reason: string };

/** What places, moves and rescales operators. */
export interface FlowPlacement {
  /**
   * Places the operators of a flow, and keeps them where they belong until the signal fires; they stay where they are
   * then, and a later call with the same id takes them over: what is equal goes on untouched, what is gone is removed.
   *
   * @throws ERR_PLACEMENT_INFEASIBLE, ERR_OPERATOR_TYPES_MISSING as a status of the operator, not of the call
   */
  placeFlow(flow: PlacedFlow, options: { signal?: AbortSignal | undefined }): AsyncIterable<FlowEvent>;
  /** Ends the operators of a flow everywhere, and drops what waits for them. */
  removeFlow(flow: string, options?: { signal?: AbortSignal | undefined }): Promise<void>;
  /** Operators of flows that this host owns. */
  operators(): Promise<OperatorStatus[]>;
  /** Moves an operator by hand; the controller leaves it there until the next deploy. */
  moveOperator(flow: string, operator: string, site: string): Promise<OperatorStatus>;
  /** Runs a keyed operator as so many instances. */
  scaleOperator(flow: string, operator: string, instances: number): Promise<OperatorStatus>;
}
