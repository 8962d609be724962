import { setTimeout as delay } from 'node:timers/promises';
import { toGaruaError } from '../base';
import { ListenError, MembershipError, RevokedError, UnreachableError } from './errors';
import type { Doorkeeper } from './handshake/membership-encrypter';
import { DhtLocator } from './locate/dht-locator';
import type { JoinRequest } from './membership/admission';
import { Counting } from './membership/counting';
import type { Ledger } from './membership/ledger';
import type { Identity } from './membership/membership';
import { openStatement, type Signed, signStatement } from './membership/statements';
import type { ByteStream, CallOptions, HostAbilities } from './mesh';
import { announced } from './node/addresses';
import { createNode, type FogNode } from './node/create-node';
import type { Libraries } from './node/libraries';
import { Links, MAXIMUM_STREAMS } from './node/links';
import { Redialler } from './node/redialler';
import { RPC_PROTOCOL } from './rpc/messages';
import { DEFAULT_TIMEOUT } from './rpc/rpc-client';
import type { RpcServer } from './rpc/rpc-server';
import { STREAM_PROTOCOL, type StreamService } from './streams/stream-service';
import type { AddressBook } from './view/address-book';
import { Gossip } from './view/gossip';
import { Heartbeat } from './view/heartbeat';
import type { HostTable } from './view/host-table';

/** How long the way to a host may take to be ready for its heartbeat. */
const HEARTBEAT_PATIENCE = 3_500;
/** How long a newcomer waits to meet somebody. */
const MEETING = 3_000;

export interface NetworkOptions {
  identity: Identity;
  ledger: Ledger;
  table: HostTable;
  book: AddressBook;
  server: RpcServer;
  streams: StreamService;
  host: { name: string; site: string };
  abilities: HostAbilities;
  listen: string[];
  join: string[];
  mdns: boolean;
  dhtProtocol: string;
}

/** The part of a mesh that runs while the host belongs to a fog: connections, calls, streams and the view. */
export class FogNetwork {
  readonly locator: DhtLocator;
  readonly #options: NetworkOptions;
  readonly #node: FogNode;
  readonly #links: Links;
  readonly #gossip: Gossip;
  readonly #heartbeat: Heartbeat;
  readonly #redialler: Redialler;
  readonly #counting: Counting;
  #closing = false;

  private constructor(options: NetworkOptions, node: FogNode, libraries: Libraries) {
    this.#options = options;
    this.#node = node;
    this.locator = new DhtLocator(node, libraries);
    const { ledger, table, server } = options;
    this.#links = new Links({
      node,
      libraries,
      isMember: (peerId) => ledger.objection(peerId) === undefined,
      addressesOf: (peerId) => this.#addressesOf(peerId),
    });
    const caller = {
      call: <T>(peerId: string, name: string, argument?: unknown, more: CallOptions = {}) =>
        this.call(peerId, name, argument, more) as Promise<T>,
      serve: server.serve.bind(server),
    };
    this.#gossip = new Gossip(
      ledger,
      caller,
      () => this.peers(),
      (fresh) => this.#learn(fresh),
    );
    this.#heartbeat = new Heartbeat({
      caller,
      ledger,
      table,
      gossip: this.#gossip,
      isConnected: (peerId) => this.#links.open(peerId).length > 0,
      prepare: async (peerId) => {
        await this.#links.client(peerId, { timeoutMs: HEARTBEAT_PATIENCE });
      },
      drop: (peerId) => this.#links.drop(peerId),
      onTick: () => this.#tick(),
    });
    this.#counting = new Counting({
      caller,
      identity: options.identity,
      ledger,
      peers: () => this.peers(),
      onCounted: (counted) => this.tell([counted]),
    });
    node.addEventListener('peer:connect', ({ detail }) => this.#connected(detail.toString()));
    node.addEventListener('peer:disconnect', ({ detail }) => this.#disconnected(detail.toString()));
    node.addEventListener('peer:discovery', ({ detail }) => {
      const peerId = detail.id.toString();
      for (const address of detail.multiaddrs) this.#remember(peerId, address.toString());
      if (!ledger.get('certificate', peerId)) void this.#meet(detail);
      else this.#redialler.hurry(peerId);
    });
    // What discovery finds of a host that it has found before comes so.
    node.addEventListener('peer:update', ({ detail: { peer } }) => {
      const addresses = peer.addresses.map(({ multiaddr }) => multiaddr.toString());
      this.#hearAddresses(peer.id.toString(), addresses);
    });
    this.#redialler = new Redialler({
      node,
      libraries,
      members: () => table.others(),
      addressesOf: (peerId) => this.#addressesOf(peerId),
      join: options.join,
      onFailure: (peerId) => ledger.get('certificate', peerId) && table.missed(peerId),
    });
  }

  static async start(options: NetworkOptions): Promise<FogNetwork> {
    const { identity, ledger, listen, server, streams } = options;
    let network: FogNetwork | undefined;
    const door: Doorkeeper = {
      fog: ledger.fog,
      ownProof: () => ledger.proofOf(identity.peerId),
      admit: (peerId, proof) => {
        const { fresh, objection } = ledger.admitProof(peerId, proof);
        if (objection === 'revoked') throw new RevokedError(peerId);
        if (objection === 'expired') throw new MembershipError('the certificate has expired');
        if (objection) throw new MembershipError('nobody of this fog vouches for the certificate');
        network?.tell(fresh);
      },
      join: (peerId, request, signal) => {
        if (!network) throw new UnreachableError('that is just starting');
        return network.admitNewcomer(peerId, request, signal);
      },
      settled: () => {},
    };
    let started: Awaited<ReturnType<typeof createNode>>;
    try {
      started = await createNode({
        key: identity.key,
        listen,
        door,
        dhtProtocol: options.dhtProtocol,
        mdns: options.mdns,
        allows: (peerId) => !ledger.isRevoked(peerId),
      });
    } catch (error) {
      if ((error as Error).name === 'UnsupportedListenAddressesError') {
        throw new ListenError(listen.join(', '), { cause: error });
      }
      throw toGaruaError(error, 'starting the mesh');
    }
    const { node, libraries } = started;
    network = new FogNetwork(options, node, libraries);
    await node.handle(RPC_PROTOCOL, (stream, connection) => server.accept(stream, connection), {
      maxInboundStreams: 8,
    });
    await node.handle(STREAM_PROTOCOL, (stream, connection) => void streams.accept(stream, connection), {
      maxInboundStreams: MAXIMUM_STREAMS,
      maxOutboundStreams: MAXIMUM_STREAMS,
    });
    network.#publishRecord();
    // Connections that came while the rest was being set up.
    for (const peerId of network.peers()) network.#connected(peerId);
    return network;
  }

  /** Peer IDs of members connected now. */
  peers(): string[] {
    return this.#node
      .getPeers()
      .map(String)
      .filter((peerId) => this.#options.ledger.objection(peerId) === undefined);
  }

  /** Own multiaddrs, without the peer ID. */
  addresses(): string[] {
    return announced(this.#node.getMultiaddrs().map(String));
  }

  async call(peerId: string, name: string, argument: unknown, options: CallOptions): Promise<unknown> {
    const client = await this.#links.client(peerId, options);
    return client.call(name, argument, options);
  }

  async openStream(peerId: string, name: string, header: unknown, options: CallOptions): Promise<ByteStream> {
    const connection = await this.#links.connection(peerId, options);
    const stream = await this.#links.newStream(connection, STREAM_PROTOCOL, options);
    return this.#options.streams.open(stream, peerId, name, header, options);
  }

  /** Takes in statements of this host and spreads them. */
  publish(statements: Signed[]): Promise<void> {
    return this.#gossip.publish(statements);
  }

  /** Learns from the first host that is met what there is to know; gives up after a few seconds. */
  async catchUp(): Promise<void> {
    for (const end = performance.now() + MEETING; performance.now() < end; await delay(25)) {
      const [peerId] = this.peers();
      if (peerId) return this.#gossip.sync(peerId).catch(() => {});
    }
  }

  /** Spreads what the handshake has brought; the ledger has it. */
  tell(fresh: Signed[]): void {
    this.#learn(fresh);
    void this.#gossip.spread(fresh);
  }

  /** Has a use of the invite counted; see `Counting`. */
  admitNewcomer(peerId: string, request: JoinRequest, signal: AbortSignal): Promise<Signed[]> {
    return this.#counting.letIn(peerId, request, signal);
  }

  async close(): Promise<void> {
    this.#closing = true;
    try {
      this.#heartbeat.stop();
      this.#redialler.stop();
      this.locator.close();
      this.#links.close();
      this.#options.table.save();
    } finally {
      await this.#node.stop();
    }
  }

  #connected(peerId: string): void {
    if (this.#closing) return;
    if (this.#options.ledger.objection(peerId)) {
      this.#links.drop(peerId);
      return;
    }
    for (const connection of this.#links.open(peerId)) {
      if (connection.direction === 'outbound') this.#remember(peerId, connection.remoteAddr.toString());
    }
    void this.#heartbeat.ask(peerId);
  }

  #disconnected(peerId: string): void {
    if (this.#closing || !this.#options.ledger.get('certificate', peerId)) return;
    this.#options.table.disconnected(peerId);
    this.#redialler.lost(peerId);
  }

  /** A host of this fog that nobody here has heard of says on the local network that it is there. */
  async #meet({
    id,
    multiaddrs,
  }: {
    id: FogNode['peerId'];
    multiaddrs: Parameters<FogNode['dial']>[0];
  }): Promise<void> {
    if (this.#closing || this.#links.open(id.toString()).length > 0) return;
    await this.#node.dial(multiaddrs, { signal: AbortSignal.timeout(DEFAULT_TIMEOUT) }).catch(() => {});
  }

  /** A host that is away may be back elsewhere. */
  #hearAddresses(peerId: string, addresses: string[]): void {
    if (this.#closing || this.#links.open(peerId).length > 0) return;
    const known = new Set(this.#addressesOf(peerId));
    const fresh = addresses.filter((address) => !known.has(address.replace(/\/p2p\/\w+$/, '')));
    if (fresh.length === 0) return;
    for (const address of fresh) this.#remember(peerId, address);
    this.#redialler.hurry(peerId);
  }

  #remember(peerId: string, address: string): void {
    const { book, ledger } = this.#options;
    if (!ledger.get('certificate', peerId)) return;
    try {
      book.remember(peerId, address.replace(/\/p2p\/\w+$/, ''));
    } catch {
      // On a full disk the records of the others still say where they are.
    }
  }

  #addressesOf(peerId: string): string[] {
    const { ledger, book } = this.#options;
    return [...new Set([...(ledger.get('record', peerId)?.addresses ?? []), ...book.of(peerId)])];
  }

  /** What others have said has consequences. */
  #learn(fresh: Signed[]): void {
    const { table, identity } = this.#options;
    for (const body of fresh.map(openStatement)) {
      if (body.kind === 'certificate') table.announce('joined', body.key);
      else if (body.kind === 'record') this.#heardRecord(body.key);
      else if (body.kind === 'revocation' && body.key !== identity.peerId) {
        table.announce('revoked', body.key);
        table.forget(body.key);
        this.#links.drop(body.key);
      }
    }
  }

  #heardRecord(peerId: string): void {
    const { table, identity } = this.#options;
    // A newer record about this host is from before it lost its state, or from a copy of its disk.
    if (peerId === identity.peerId) this.#publishRecord();
    else table.announce('changed', peerId);
  }

  #tick(): void {
    const { ledger } = this.#options;
    for (const peer of this.#node.getPeers()) {
      if (ledger.objection(peer.toString())) this.#links.drop(peer.toString());
    }
    this.#publishRecord();
  }

  /** Says who and where this host is, when that is not what the others know already. */
  #publishRecord(): void {
    const { identity, ledger, host, abilities } = this.#options;
    const known = ledger.get('record', identity.peerId);
    const facts = { name: host.name, site: host.site, addresses: this.addresses(), abilities };
    if (facts.addresses.length === 0) return;
    const same =
      known &&
      JSON.stringify(facts) ===
        JSON.stringify({
          name: known.name,
          site: known.site,
          addresses: known.addresses,
          abilities: known.abilities,
        });
    if (same) return;
    // A host that lost its state must not use a number again; where its clock went back, the others' record
    // of it comes first and is outdone.
    const sequence = (known?.sequence ?? Math.floor(Date.now() / 1000)) + 1;
    const record = signStatement(
      { kind: 'record', fog: ledger.fog, key: identity.peerId, sequence, ...facts },
      identity.key,
    );
    // On a full disk it is made anew at the next tick.
    this.#gossip.publish([record]).catch(() => {});
  }
}
