import { GaruaError } from '../base';

/** This data directory belongs to no fog. */
export class NoFogError extends GaruaError {
  constructor() {
    super(
      'ERR_MESH_NO_FOG',
      'this host belongs to no fog',
      'Make one here (garua fog create), or join one with an invite (garua fog join INVITE).',
    );
  }
}

/** The data directory belongs to a fog already. */
export class AlreadyInFogError extends GaruaError {
  constructor(fog: string) {
    super(
      'ERR_MESH_ALREADY_MEMBER',
      `this host already belongs to the fog ${fog}`,
      'A host belongs to one fog; use another data directory (--data) for another one.',
    );
  }
}

/** A text that was given as an invite is none. It never quotes the text: it may hold a secret. */
export class InvalidInviteError extends GaruaError {
  constructor(why: string) {
    super(
      'ERR_MESH_INVITE_INVALID',
      `this is no usable invite: ${why}`,
      'Paste the whole line that garua fog invite printed.',
    );
  }
}

/** The invite is past its time. */
export class InviteExpiredError extends GaruaError {
  constructor(id: string) {
    super(
      'ERR_MESH_INVITE_EXPIRED',
      `the invite ${id} has expired`,
      'Make a new one on a host of the fog: garua fog invite.',
    );
  }
}

/** The invite has let in as many hosts as it was made for. */
export class InviteUsedUpError extends GaruaError {
  constructor(id: string, uses: number) {
    super(
      'ERR_MESH_INVITE_USED_UP',
      `the invite ${id} has been used ${uses} times, as often as it may be`,
      'Make a new one on a host of the fog: garua fog invite --uses N.',
    );
  }
}

/** A statement, certificate or handshake does not prove what it claims. */
export class MembershipError extends GaruaError {
  constructor(why: string) {
    super(
      'ERR_MESH_NOT_A_MEMBER',
      `membership is not proven: ${why}`,
      'Join the fog with an invite first (garua fog join INVITE).',
    );
  }
}

/** The other side belongs to another fog. */
export class WrongFogError extends GaruaError {
  constructor(theirs: string, ours: string) {
    super(
      'ERR_MESH_WRONG_FOG',
      `the other side belongs to the fog ${theirs}, this one to ${ours}`,
      'Use an address of a host of the same fog.',
    );
  }
}

/** This host, or the one at the other end, has been shut out. */
export class RevokedError extends GaruaError {
  constructor(who: string) {
    super(
      'ERR_MESH_REVOKED',
      `${who} has been revoked in this fog`,
      'To let the machine in again, give it a new data directory (or remove its mesh folder) and a new invite.',
    );
  }
}

/** The host may not do this in the fog. */
export class NotAllowedError extends GaruaError {
  constructor(what: string) {
    super(
      'ERR_MESH_NOT_ALLOWED',
      `this host may not ${what} in this fog`,
      'Do it on the host that made the fog, or on one that joined by an invite made with --admin.',
    );
  }
}

/** No host of the fog has that name, or several do. */
export class HostNotFoundError extends GaruaError {
  constructor(host: string, count: number) {
    super(
      'ERR_MESH_HOST_NOT_FOUND',
      count === 0 ? `the fog has no host ${host}` : `${host} could be ${count} hosts of the fog`,
      'garua sites lists the hosts; give a name or enough of the peer ID to tell it from the others.',
    );
  }
}

/** A host cannot be reached now. */
export class UnreachableError extends GaruaError {
  /** Whether the host may have heard the call: it was lost while the answer was waited for. */
  readonly mayHaveHeard: boolean;

  constructor(
    host: string,
    { mayHaveHeard = false, ...options }: ErrorOptions & { mayHaveHeard?: boolean } = {},
  ) {
    super(
      'ERR_MESH_UNREACHABLE',
      `the host ${host} cannot be reached`,
      'Look at its state with garua sites; the mesh goes on trying to reach it.',
      options,
    );
    this.mayHaveHeard = mayHaveHeard;
  }
}

/** A call to another host took longer than it may. */
export class CallTimeoutError extends GaruaError {
  constructor(what: string, host: string, milliseconds: number) {
    super(
      'ERR_MESH_TIMEOUT',
      `${what} on ${host} did not answer within ${milliseconds} ms`,
      'Try again; garua sites shows how far the host is and whether it answers.',
    );
  }
}

/** A message between hosts is larger than the mesh carries in one piece. */
export class MessageTooLargeError extends GaruaError {
  constructor(what: string, bytes: number, limit: number) {
    super(
      'ERR_MESH_MESSAGE_TOO_LARGE',
      `${what} has ${bytes} bytes, and a message may have at most ${limit}`,
      'Send large data as a stream, or put it in the store and send its CID.',
    );
  }
}

/** The host at the other end offers no such call or stream. */
export class NoSuchServiceError extends GaruaError {
  constructor(name: string) {
    super(
      'ERR_MESH_NO_SUCH_SERVICE',
      `the host offers no ${name}`,
      'Use the same version of garua on all hosts.',
    );
  }
}

/** The other end broke off a stream or does not speak the protocol. */
export class StreamBrokenError extends GaruaError {
  constructor(what: string, options?: ErrorOptions) {
    super(
      'ERR_MESH_STREAM_BROKEN',
      `${what} was broken off`,
      'Try again, or use another host that has the data.',
      options,
    );
  }
}

/** The mesh could not listen where it was told to. */
export class ListenError extends GaruaError {
  constructor(address: string, options?: ErrorOptions) {
    super(
      'ERR_MESH_LISTEN',
      `cannot listen on ${address}`,
      'Choose a free port and an address of this machine, such as --listen /ip4/0.0.0.0/tcp/4747.',
      options,
    );
  }
}
