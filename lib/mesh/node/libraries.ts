/**
 * libp2p is published as ES modules only and takes half a second to load on a small machine: it comes with
 * the first fog, and never for a command that needs none.
 */
export async function loadLibraries() {
  const [libp2p, tcp, noise, yamux, identify, ping, kad, mdns, keys, peerId, multiaddr, cid] =
    await Promise.all([
      import('libp2p'),
      import('@libp2p/tcp'),
      import('@libp2p/noise'),
      import('@libp2p/yamux'),
      import('@libp2p/identify'),
      import('@libp2p/ping'),
      import('@libp2p/kad-dht'),
      import('@libp2p/mdns'),
      import('@libp2p/crypto/keys'),
      import('@libp2p/peer-id'),
      import('@multiformats/multiaddr'),
      import('multiformats/cid'),
    ]);
  return {
    createLibp2p: libp2p.createLibp2p,
    tcp: tcp.tcp,
    noise: noise.noise,
    yamux: yamux.yamux,
    identify: identify.identify,
    ping: ping.ping,
    kadDHT: kad.kadDHT,
    passthroughMapper: kad.passthroughMapper,
    mdns: mdns.mdns,
    keyFromSeed: keys.generateKeyPairFromSeed,
    peerIdFromString: peerId.peerIdFromString,
    multiaddr: multiaddr.multiaddr,
    CID: cid.CID,
  };
}

export type Libraries = Awaited<ReturnType<typeof loadLibraries>>;
