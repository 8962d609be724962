import type { ConnectionEncrypter, PeerInfo } from '@libp2p/interface' with { 'resolution-mode': 'import' };
import {
  type Doorkeeper,
  JoinEncrypter,
  MembershipEncrypter,
  type Newcomer,
} from '../handshake/membership-encrypter';
import { StrangerQuota } from '../handshake/stranger-quota';
import type { SigningKey } from '../membership/keys';
import { type Libraries, loadLibraries } from './libraries';

export interface NodeOptions {
  key: SigningKey;
  listen: string[];
  door: Doorkeeper;
  /** Protocol of the lookup, such as `/garua/kad/1.0.0`; another one joins another DHT. */
  dhtProtocol: string;
  /** Whether to look for hosts of the fog on the local network. */
  mdns: boolean;
  /** Whether a peer may be dialled. */
  allows(peerId: string): boolean;
}

/**
 * Bytes one stream may have under way: 100 MB/s over 10 ms at first, over 40 ms once its round trip is
 * known. A paused reader holds at most the window, so that the read buffer can never overflow.
 */
const STREAM_OPTIONS = {
  initialStreamWindowSize: 1 << 20,
  maxStreamWindowSize: 4 << 20,
  maxReadBufferLength: 8 << 20,
  // Streams may rest for as long as they like; the heartbeat tells whether the host is still there.
  inactivityTimeout: 2 ** 31 - 1,
};
const MINUTE = 60_000;
/** Between two questions to the local network, in ms; the first comes at the start. */
const DISCOVERY_INTERVAL = 30_000;

/** Starts a libp2p node on which only members of the fog get anything. */
export async function createNode({ key, listen, door, dhtProtocol, mdns, allows }: NodeOptions) {
  const libraries = await loadLibraries();
  const quota = new StrangerQuota();
  const guarded: Doorkeeper = {
    fog: door.fog,
    ownProof: () => door.ownProof(),
    admit: (peerId, proof) => door.admit(peerId, proof),
    join: (peerId, request, signal) => door.join(peerId, request, signal),
    settled: (connection) => quota.settle(connection),
  };
  const node = await libraries.createLibp2p({
    ...(await common(libraries, key, (noise) => new MembershipEncrypter(noise, guarded))),
    addresses: { listen },
    peerDiscovery: mdns
      ? [quietDiscovery(libraries.mdns({ serviceTag: serviceTag(door.fog), interval: DISCOVERY_INTERVAL }))]
      : [],
    connectionGater: {
      denyInboundConnection: (connection) => !quota.admit(connection),
      denyDialPeer: (peerId) => !allows(peerId.toString()),
    },
    connectionManager: {
      maxConnections: 1000,
      // Several hosts may stand behind one address; a stranger is dropped by the quota before it costs much.
      inboundConnectionThreshold: 50,
      maxIncomingPendingConnections: 64,
      inboundUpgradeTimeout: 8_000,
      // Reconnecting is the redialler's work: it never gives up and knows more addresses.
      reconnectRetries: 0,
    },
    // The heartbeat of the view watches connections.
    connectionMonitor: { enabled: false },
    services: {
      identify: libraries.identify({ protocolPrefix: 'garua', runOnConnectionOpen: true }),
      ping: libraries.ping({ protocolPrefix: 'garua' }),
      dht: libraries.kadDHT({
        protocol: dhtProtocol,
        clientMode: false,
        peerInfoMapper: libraries.passthroughMapper,
        allowQueryWithZeroPeers: true,
        querySelfInterval: 30 * MINUTE,
        initialQuerySelfInterval: 5_000,
      }),
    },
  });
  await node.services.dht.setMode('server');
  return { node, libraries };
}

type MakeDiscovery = ReturnType<Libraries['mdns']>;
interface Connected {
  connectionManager: { getConnections(peerId: PeerInfo['id']): unknown[] };
}

const serviceTag = (fog: string) => `_garua-${fog.slice(0, 16)}._udp.local`;

/**
 * On a local network each host hears every answer to every question of all others. Those of hosts that are connected
 * already would cost an idle host more than all else.
 */
function quietDiscovery(make: MakeDiscovery) {
  return (components: Parameters<MakeDiscovery>[0] & Connected) => {
    const discovery = make(components);
    const listen = discovery.addEventListener.bind(discovery);
    discovery.addEventListener = ((type: 'peer', listener: (event: CustomEvent<PeerInfo>) => void) =>
      listen(type, (event: CustomEvent<PeerInfo>) => {
        if (components.connectionManager.getConnections(event.detail.id).length === 0) listener(event);
      })) as typeof discovery.addEventListener;
    return discovery;
  };
}

/** A node that can do one thing: ask to be let in. */
export async function createNewcomerNode(key: SigningKey, newcomer: Newcomer) {
  const libraries = await loadLibraries();
  const node = await libraries.createLibp2p({
    ...(await common(libraries, key, (noise) => new JoinEncrypter(noise, newcomer))),
    connectionMonitor: { enabled: false },
  });
  return { node, libraries };
}

async function common(
  libraries: Libraries,
  key: SigningKey,
  encrypt: (noise: ConnectionEncrypter) => ConnectionEncrypter,
) {
  const noise = libraries.noise();
  return {
    privateKey: await libraries.keyFromSeed('Ed25519', key.seed()),
    nodeInfo: { name: 'garua', version: '1', userAgent: 'garua' },
    transports: [libraries.tcp({ dialOpts: { noDelay: true }, listenOpts: { noDelay: true } })],
    connectionEncrypters: [(components: Parameters<typeof noise>[0]) => encrypt(noise(components))],
    streamMuxers: [
      // Its keep-alive measures the round trip that the window grows by.
      libraries.yamux({ streamOptions: STREAM_OPTIONS, keepAliveInterval: 30_000 }),
    ],
  };
}

export type FogNode = Awaited<ReturnType<typeof createNode>>['node'];
