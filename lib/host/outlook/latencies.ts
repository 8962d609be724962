import { InvalidArgumentError } from '../../base';
import { HostNotFoundError, type Mesh, type MeshHost } from '../../mesh';
import type { PeerGate } from '../peers';
import { ConnectTime, parseAddress } from './connect-time';

const CALL = 'outlook.latency';
/** The site reaches the user; how far it is will be known in a while. */
const UNMEASURED = 'unmeasured';
type Latency = number | typeof UNMEASURED | null;
/** For the answer of one site, in milliseconds. */
const PATIENCE = 4_000;

/** A host of the fog, or an address. */
type User = { peerId: string } | { address: string };

/** Knows how far it is from each site to a user. One host of a site speaks for it. */
export class Latencies {
  readonly #peers: PeerGate;
  readonly #connectTime = new ConnectTime();

  constructor(peers: PeerGate) {
    this.#peers = peers;
  }

  /** Answers the other hosts, as far as they may place containers here. */
  attach(mesh: Mesh): void {
    mesh.serve(CALL, async (user: User, { peerId }) => {
      await this.#peers.check('containers', peerId);
      return this.#fromHere(mesh, user);
    });
  }

  /**
   * Milliseconds by site, null where that was not measured yet; a site that does not reach the user, or is not reached,
   * is left out.
   */
  async toUser(mesh: Mesh, text: string, signal?: AbortSignal): Promise<Record<string, number | null>> {
    const user = userOf(mesh, text);
    const asked = [...speakers(mesh, user)].map(async ([site, host]) => {
      const options = { signal, timeoutMs: PATIENCE };
      const answer = host.self
        ? this.#fromHere(mesh, user)
        : mesh.call<Latency>(host.peerId, CALL, user, options);
      return [site, await answer.catch(() => null)] as const;
    });
    const answers = await Promise.all(asked);
    const reached = answers.filter(([, latency]) => latency !== null);
    return Object.fromEntries(
      reached.map(([site, latency]) => [site, latency === UNMEASURED ? null : latency]),
    );
  }

  async #fromHere(mesh: Mesh, user: User): Promise<Latency> {
    if ('address' in user) return this.#connectTime.measure(String(user.address));
    const { rttMs, state } = mesh.host(String(user.peerId));
    return state === 'down' ? null : (rttMs ?? UNMEASURED);
  }
}

/** Of each site the host that is asked: the user itself, this host, or the nearest. */
function speakers(mesh: Mesh, user: User): Map<string, MeshHost> {
  const rank = (host: MeshHost) => {
    if ('peerId' in user && host.peerId === user.peerId) return -1;
    return host.self ? 0 : (host.rttMs ?? Number.POSITIVE_INFINITY);
  };
  const found = new Map<string, MeshHost>();
  for (const host of mesh.hosts().sort((a, b) => rank(a) - rank(b))) {
    if (host.state === 'up' && !found.has(host.site)) found.set(host.site, host);
  }
  return found;
}

/** @throws {InvalidArgumentError} */
function userOf(mesh: Mesh, text: string): User {
  if (parseAddress(text)) return { address: text };
  try {
    return { peerId: mesh.host(text).peerId };
  } catch (error) {
    if (!(error instanceof HostNotFoundError)) throw error;
    const hint = 'Name a host of the fog, or ADDRESS:PORT.';
    throw new InvalidArgumentError(`${text} is neither a host of the fog nor an address`, hint);
  }
}
