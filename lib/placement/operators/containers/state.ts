import type { LogMark } from '../../../container';

/** What passes from an instance to the next in place of a state: the container itself. */
export interface PassedContainer {
  container: string;
  /** Peer ID of the host that has it. */
  peerId: string;
  /** The last line of it whose message is on its way. */
  mark?: LogMark | undefined;
}

export const stateOf = (passed: PassedContainer): string => JSON.stringify(passed);

/** The states of subflows are base64, which no brace begins. */
export function containerIn(state: string | null): PassedContainer | undefined {
  return state?.startsWith('{') ? (JSON.parse(state) as PassedContainer) : undefined;
}
