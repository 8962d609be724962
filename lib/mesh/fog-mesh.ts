import { hostname } from 'node:os';
import {
  type Database,
  type DataDirectory,
  InvalidArgumentError,
  type LongCall,
  throwIfAborted,
} from '../base';
import { AlreadyInFogError, MembershipError, NoFogError, NotAllowedError, UnreachableError } from './errors';
import { FogNetwork } from './fog-network';
import type { Newcomer } from './handshake/membership-encrypter';
import { requestToJoin } from './membership/admission';
import { Invite } from './membership/invite';
import { Ledger } from './membership/ledger';
import { Identity, type MembershipFile, makeInvite } from './membership/membership';
import { isHostName, type Signed, signStatement } from './membership/statements';
import type {
  ByteStream,
  CallHandler,
  CallOptions,
  FogInfo,
  InviteOptions,
  Locator,
  Mesh,
  MeshEvent,
  MeshHost,
  StreamHandler,
} from './mesh';
import { checkListen, choosePort, DEFAULT_PORT, portOf } from './node/addresses';
import { createNewcomerNode } from './node/create-node';
import { RpcServer } from './rpc/rpc-server';
import { StreamService } from './streams/stream-service';
import { AddressBook } from './view/address-book';
import { HostTable } from './view/host-table';
import { measureAbilities } from './view/load';

export interface FogMeshOptions {
  directory: DataDirectory;
  database: Database;
  /** Default: the one it had before, or the machine's host name. */
  name?: string | undefined;
  /** Default: the one it had before, or one of its own, named like the host. */
  site?: string | undefined;
  /** Multiaddrs to listen on. Default: all IPv4 addresses, port 4747 or the one used before. */
  listen?: string[] | undefined;
  /** Multiaddrs of hosts to meet the fog at, beside those that are known. */
  join?: string[] | undefined;
  /** Whether to find hosts on the local network. Default true. */
  mdns?: boolean | undefined;
  /** Protocol of the lookup. Default `/garua/kad/1.0.0`. */
  dhtProtocol?: string | undefined;
  /** Version of a CRIU that works here. */
  criu?: string | null | undefined;
}

/** What is there while the host belongs to a fog. */
interface Running {
  membership: MembershipFile;
  ledger: Ledger;
  table: HostTable;
  network: FogNetwork;
}

const PORT_SETTING = 'port';

/** The Mesh on libp2p. While the host belongs to no fog it loads nothing, listens nowhere and costs nothing. */
export class FogMesh implements Mesh {
  readonly #options: FogMeshOptions;
  readonly #host: { name: string; site: string };
  readonly #identity: Identity;
  readonly #book: AddressBook;
  readonly #server = new RpcServer();
  readonly #streams = new StreamService((peerId, rate) => this.#running?.table.measured(peerId, rate));
  readonly #watchers = new Set<(event: MeshEvent) => void>();
  #running: Running | undefined;
  /** One change of membership at a time. */
  #changing: Promise<unknown> = Promise.resolve();

  private constructor(options: FogMeshOptions, identity: Identity) {
    this.#options = options;
    this.#identity = identity;
    this.#book = new AddressBook(options.database);
    const name = this.#remembered('name', options.name) ?? hostname();
    this.#host = { name, site: this.#remembered('site', options.site) ?? name };
  }

  /** Opens the mesh of a data directory, and connects when it belongs to a fog. @throws {ListenError} */
  static async open(options: FogMeshOptions): Promise<FogMesh> {
    for (const address of options.listen ?? []) checkListen(address);
    const mesh = new FogMesh(options, await Identity.load(options.directory));
    const membership = await mesh.#identity.membership();
    if (membership) await mesh.#start(membership);
    return mesh;
  }

  get peerId(): string {
    return this.#identity.peerId;
  }

  /** As it is called, also while it belongs to no fog. */
  get name(): string {
    return this.#host.name;
  }

  get site(): string {
    return this.#host.site;
  }

  fog(): FogInfo | undefined {
    if (!this.#running) return undefined;
    const { membership, ledger, table, network } = this.#running;
    const self = table.get(this.peerId)!;
    return {
      name: membership.name,
      fingerprint: ledger.fog,
      peerId: this.peerId,
      host: self.name,
      site: self.site,
      abilities: ledger.get('certificate', this.peerId)!.abilities,
      addresses: network.addresses().map((address) => `${address}/p2p/${this.peerId}`),
      hosts: table.all().length,
    };
  }

  createFog({ name = 'fog' }: { name?: string | undefined } = {}): Promise<FogInfo> {
    checkName(name);
    return this.#change(async () => {
      await this.#start(await this.#identity.createFog(name, this.#host));
      return this.fog()!;
    });
  }

  async invite(options: InviteOptions = {}): Promise<string> {
    const { ledger, membership, network, table } = this.#require();
    for (const [what, value] of Object.entries({ uses: options.uses, validMs: options.validMs })) {
      if (value !== undefined && !(Number.isSafeInteger(value) && value > 0)) {
        throw new InvalidArgumentError(`${what} of an invite must be a whole number above 0, not ${value}`);
      }
    }
    // The issuer first, then others that are up: any member can let a newcomer in.
    const others = table.all().filter((host) => host.state === 'up' && !host.self);
    const addresses = [...this.fog()!.addresses, ...others.flatMap(fullAddresses)].slice(0, 8);
    const fog = { name: membership.name, addresses };
    const { invite, grant } = makeInvite(this.#identity, ledger, fog, options);
    await network.publish([grant]);
    return invite.reveal();
  }

  join(text: string, options: LongCall = {}): Promise<FogInfo> {
    return this.#change(async () => {
      const invite = Invite.parse(text);
      const proof = await this.#ask(invite, options);
      const ledger = new Ledger(this.#options.database, invite.fogKey);
      ledger.admit(proof);
      if (ledger.objection(this.peerId)) throw new MembershipError('the answer to the invite proves nothing');
      const membership: MembershipFile = {
        name: invite.name,
        fogKey: ledger.fogKey,
        proof: ledger.proofOf(this.peerId),
        addresses: invite.addresses,
      };
      await this.#identity.saveMembership(membership);
      await this.#start(membership);
      await this.#running!.network.catchUp();
      return this.fog()!;
    });
  }

  async revoke(name: string): Promise<MeshHost> {
    const { ledger, table, network } = this.#require();
    if (!ledger.may(this.peerId, 'revoke')) throw new NotAllowedError('revoke hosts');
    const host = table.find(name);
    if (host.self) {
      throw new InvalidArgumentError(
        'a host cannot revoke itself',
        'Revoke it on another host, or stop it and remove its data directory.',
      );
    }
    await network.publish([signStatement(ledger.revocationOf(host.peerId), this.#identity.key)]);
    return { ...host, state: 'down' };
  }

  hosts(): MeshHost[] {
    return this.#running?.table.all() ?? [];
  }

  host(name: string): MeshHost {
    return this.#require().table.find(name);
  }

  async *watch({ signal }: { signal?: AbortSignal | undefined } = {}): AsyncIterable<MeshEvent> {
    const queue: MeshEvent[] = [];
    let wake: (() => void) | undefined;
    const onEvent = (event: MeshEvent) => {
      queue.push(event);
      wake?.();
    };
    const onAbort = () => wake?.();
    this.#watchers.add(onEvent);
    signal?.addEventListener('abort', onAbort, { once: true });
    try {
      while (!signal?.aborted) {
        const event = queue.shift();
        if (event) yield event;
        else {
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        }
      }
    } finally {
      this.#watchers.delete(onEvent);
      signal?.removeEventListener('abort', onAbort);
    }
  }

  serve(name: string, handler: CallHandler): () => void {
    return this.#server.serve(name, handler);
  }

  async call<T>(host: string, name: string, argument?: unknown, options: CallOptions = {}): Promise<T> {
    const { network, table } = this.#require();
    return (await network.call(table.find(host).peerId, name, argument, options)) as T;
  }

  serveStream(name: string, handler: StreamHandler): () => void {
    return this.#streams.serve(name, handler);
  }

  async openStream(
    host: string,
    name: string,
    header?: unknown,
    options: CallOptions = {},
  ): Promise<ByteStream> {
    const { network, table } = this.#require();
    return network.openStream(table.find(host).peerId, name, header, options);
  }

  /** Finds nobody and announces nothing while there is no fog. */
  readonly locator: Locator = {
    provide: async (cid, signal) => this.#running?.network.locator.provide(cid, signal),
    withdraw: async (cid) => this.#running?.network.locator.withdraw(cid),
    findProviders: (cid, signal) => this.#running?.network.locator.findProviders(cid, signal) ?? nobody(),
  };

  sign(bytes: Uint8Array): Uint8Array {
    return this.#identity.key.sign(bytes);
  }

  async close(): Promise<void> {
    await this.#changing;
    await this.#running?.network.close();
    this.#running = undefined;
  }

  /** Asks the hosts that the invite names, one after another, to be let in. */
  async #ask(invite: Invite, { signal, onProgress }: LongCall): Promise<Signed[]> {
    const newcomer: Newcomer = {
      fog: invite.fingerprint,
      request: requestToJoin(invite, this.#identity, this.#host),
    };
    const { node, libraries } = await createNewcomerNode(this.#identity.key, newcomer);
    try {
      for (const [done, address] of invite.addresses.entries()) {
        throwIfAborted(signal, 'joining the fog');
        onProgress?.({ phase: 'joining', done, total: invite.addresses.length, unit: 'steps' });
        const timeout = AbortSignal.timeout(12_000);
        const limit = signal ? AbortSignal.any([signal, timeout]) : timeout;
        // It never becomes a connection: the answer comes in the handshake.
        await node.dial(libraries.multiaddr(address), { signal: limit }).catch(() => {});
        if (newcomer.joined) return newcomer.joined;
        if (newcomer.refused) throw newcomer.refused;
      }
    } finally {
      await node.stop();
    }
    throwIfAborted(signal, 'joining the fog');
    throw new UnreachableError(`that the invite names (${invite.addresses.join(', ')})`);
  }

  async #start(membership: MembershipFile): Promise<void> {
    const { database, mdns = true, dhtProtocol = '/garua/kad/1.0.0', criu = null, join = [] } = this.#options;
    const ledger = new Ledger(database, Buffer.from(membership.fogKey, 'base64url'));
    ledger.admit(membership.proof);
    const table = new HostTable(ledger, this.#book, this.peerId);
    table.onEvent((event) => {
      for (const watcher of this.#watchers) watcher(event);
    });
    const network = await FogNetwork.start({
      identity: this.#identity,
      ledger,
      table,
      book: this.#book,
      server: this.#server,
      streams: this.#streams,
      host: this.#host,
      abilities: measureAbilities(criu),
      listen: await this.#listenAddresses(),
      join: [...new Set([...join, ...membership.addresses])],
      mdns,
      dhtProtocol,
    });
    this.#running = { membership, ledger, table, network };
    this.#rememberPorts(network.addresses());
  }

  /** A port that was chosen freely once stays the same, so that others find this host after a restart. */
  async #listenAddresses(): Promise<string[]> {
    const { listen } = this.#options;
    const wanted = listen?.length ? listen : ['/ip4/0.0.0.0/tcp/0'];
    return Promise.all(
      wanted.map(async (address) => {
        if (portOf(address) !== 0) return address;
        const last = this.#book.setting(`${PORT_SETTING} ${address}`);
        const wishes = [...(last ? [Number(last)] : []), ...(listen?.length ? [] : [DEFAULT_PORT])];
        return address.replace(/0$/, String(await choosePort(wishes)));
      }),
    );
  }

  #rememberPorts(addresses: string[], wanted = this.#options.listen ?? []): void {
    const port = portOf(addresses[0] ?? '');
    const open =
      wanted.length > 0 ? wanted.filter((address) => portOf(address) === 0) : ['/ip4/0.0.0.0/tcp/0'];
    if (!port || open.length !== 1) return;
    try {
      this.#book.set(`${PORT_SETTING} ${open[0]}`, String(port));
    } catch {
      // On a full disk the others are told the port that it has this time.
    }
  }

  /** A name that was given once stays, for commands that do not give it again. */
  #remembered(what: 'name' | 'site', given: string | undefined): string | undefined {
    if (given !== undefined) this.#book.set(what, checkName(given));
    return given ?? this.#book.setting(what);
  }

  #change<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#changing.then(() => {
      if (this.#running) throw new AlreadyInFogError(this.#running.membership.name);
      return work();
    });
    this.#changing = result.catch(() => {});
    return result;
  }

  #require(): Running {
    if (!this.#running) throw new NoFogError();
    return this.#running;
  }
}

async function* nobody(): AsyncIterable<string> {}

const fullAddresses = ({ addresses, peerId }: MeshHost) =>
  addresses.map((address) => `${address}/p2p/${peerId}`);

function checkName(name: string): string {
  if (isHostName(name)) return name;
  throw new InvalidArgumentError(
    `"${name}" cannot be the name of a host, a site or a fog`,
    'Use letters, digits, dots, hyphens and underscores, at most 63 of them.',
  );
}
