import type {
  ConnectionEncrypter,
  MessageStream,
  SecureConnectionOptions,
  SecuredConnection,
} from '@libp2p/interface' with { 'resolution-mode': 'import' };
import { type ErrorDocument, fromErrorDocument, toGaruaError } from '../../base';
import { MembershipError, WrongFogError } from '../errors';
import type { JoinRequest } from '../membership/admission';
import type { Signed } from '../membership/statements';
import { Frames } from './frames';

/** The only protocol a stranger can speak: noise, then the proof of membership, before anything else. */
export const MEMBERSHIP_PROTOCOL = '/garua/membership/1';
/** A proof has a few statements of a few hundred bytes. */
const MAXIMUM_MESSAGE = 64 << 10;
const PATIENCE = 5_000;
/** How long a refused caller may take to read why. */
const FAREWELL = 500;

interface Hello {
  fog: string;
  proof?: Signed[];
  join?: JoinRequest;
}

type Answer = { proof: Signed[] } | { joined: Signed[] } | { error: ErrorDocument };

/** Decides who comes in. */
export interface Doorkeeper {
  readonly fog: string;
  ownProof(): Signed[];
  /** @throws when the peer is no member of the fog now. */
  admit(peerId: string, proof: Signed[]): void;
  /** Answers a newcomer with the proof of its membership. */
  join(peerId: string, request: JoinRequest, signal: AbortSignal): Promise<Signed[]>;
  /** The connection's membership is settled, one way or the other. */
  settled(connection: MessageStream): void;
}

/** Turns the answer to a join request into a member's proof. */
export interface Newcomer {
  readonly fog: string;
  readonly request: JoinRequest;
  /** Once it is in, or why it is not. */
  joined?: Signed[];
  refused?: Error;
}

type Noise = ConnectionEncrypter<unknown>;

/**
 * Noise with a proof of membership on top, as one encrypter: the connection is not upgraded, and no stream can
 * be opened or accepted on it, until both ends have shown that they belong to the fog. The proofs are about
 * the peer ID that noise has just authenticated, so that they cannot be replayed by others.
 */
export class MembershipEncrypter implements Noise {
  readonly protocol = MEMBERSHIP_PROTOCOL;
  readonly #noise: Noise;
  readonly #door: Doorkeeper;

  constructor(noise: Noise, door: Doorkeeper) {
    this.#noise = noise;
    this.#door = door;
  }

  async secureOutbound(
    connection: MessageStream,
    options?: SecureConnectionOptions,
  ): Promise<SecuredConnection> {
    const secured = await this.#noise.secureOutbound(connection, options);
    const frames = new Frames(secured.connection, MAXIMUM_MESSAGE);
    try {
      frames.send({ fog: this.#door.fog, proof: this.#door.ownProof() } satisfies Hello);
      const answer = await frames.receive<Answer>(limit(options?.signal));
      if ('error' in answer) throw fromErrorDocument(answer.error);
      if (!('proof' in answer)) throw new MembershipError('the other side gave no proof');
      this.#door.admit(secured.remotePeer.toString(), answer.proof);
      return secured;
    } finally {
      frames.release();
    }
  }

  async secureInbound(
    connection: MessageStream,
    options?: SecureConnectionOptions,
  ): Promise<SecuredConnection> {
    const secured = await this.#noise.secureInbound(connection, options);
    const frames = new Frames(secured.connection, MAXIMUM_MESSAGE);
    const peerId = secured.remotePeer.toString();
    try {
      const signal = limit(options?.signal);
      const hello = await frames.receive<Hello>(signal);
      try {
        if (hello.fog !== this.#door.fog) throw new WrongFogError('of another key', 'of this host');
        if (hello.join) {
          frames.send({ joined: await this.#door.join(peerId, hello.join, signal) } satisfies Answer);
          throw new JoinAnswered();
        }
        this.#door.admit(peerId, hello.proof ?? []);
      } catch (error) {
        if (!(error instanceof JoinAnswered)) {
          frames.send({ error: toGaruaError(error, 'the membership check').toJSON() } satisfies Answer);
        }
        await frames.closed(AbortSignal.timeout(FAREWELL));
        throw error;
      }
      frames.send({ proof: this.#door.ownProof() } satisfies Answer);
      return secured;
    } finally {
      this.#door.settled(connection);
      frames.release();
    }
  }
}

/** The encrypter of a host that asks to be let in: every connection ends with the answer. */
export class JoinEncrypter implements Noise {
  readonly protocol = MEMBERSHIP_PROTOCOL;
  readonly #noise: Noise;
  readonly #newcomer: Newcomer;

  constructor(noise: Noise, newcomer: Newcomer) {
    this.#noise = noise;
    this.#newcomer = newcomer;
  }

  async secureOutbound(
    connection: MessageStream,
    options?: SecureConnectionOptions,
  ): Promise<SecuredConnection> {
    const secured = await this.#noise.secureOutbound(connection, options);
    const frames = new Frames(secured.connection, MAXIMUM_MESSAGE);
    const { fog, request } = this.#newcomer;
    frames.send({ fog, join: request } satisfies Hello);
    const answer = await frames.receive<Answer>(limit(options?.signal));
    if ('joined' in answer) this.#newcomer.joined = answer.joined;
    else if ('error' in answer) this.#newcomer.refused = fromErrorDocument(answer.error);
    throw new JoinAnswered();
  }

  async secureInbound(): Promise<SecuredConnection> {
    throw new MembershipError('this host is no member yet');
  }
}

/** Ends a connection that was only for joining. */
class JoinAnswered extends Error {}

function limit(signal: AbortSignal | undefined): AbortSignal {
  const patience = AbortSignal.timeout(PATIENCE);
  return signal ? AbortSignal.any([signal, patience]) : patience;
}
