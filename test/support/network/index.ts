export { FogNetworkNamespaces, type FogNetworkOptions, type HostPlace } from './fog-network-namespaces';
export { NetworkHost, type NetworkHostOptions, OWN_RUN } from './network-host';
export { startHosts, untilAllSeeAll } from './start-hosts';
