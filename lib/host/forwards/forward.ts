import type { PublishedPort } from '../../container';

/** A published port of a container that has moved away: who comes to it here is passed on to where it has gone. */
export interface ForwardStatus {
  container: string;
  hostAddress: string;
  hostPort: number;
  containerPort: number;
  /** The name of the host that connections go on to, else its peer ID. */
  to: string;
  /** `waiting`: the port is in other hands for now. */
  state: 'open' | 'waiting';
  /** Connections that were passed on, and those that are open. */
  connections: number;
  open: number;
  /** When no more are taken, at the latest (ISO 8601). */
  until: string;
}

/** A forward as it is kept on record. */
export interface Forward extends Required<Pick<PublishedPort, 'hostAddress' | 'hostPort' | 'containerPort'>> {
  container: string;
  peerId: string;
  /** Milliseconds since 1970. */
  until: number;
  connections: number;
}

/** Names a forward: of two containers only one can have the port. */
export const keyOf = ({ hostAddress, hostPort }: Pick<Forward, 'hostAddress' | 'hostPort'>) =>
  `${hostAddress}:${hostPort}`;
