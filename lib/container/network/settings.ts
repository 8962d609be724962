import type { PublishedPort } from '../container';
import type { CniResult } from './cni';

/** All data directories of a machine share one bridge, and so everything here is machine-wide. */
export const BRIDGE = 'garua0';
export const SUBNET = '10.86.0.0/16';
/** The host's own address on the bridge: the plugin gives it the first of the subnet. */
export const BRIDGE_GATEWAY = '10.86.0.1';
/** The CNI name of the network; the plugins' iptables rules carry it. */
export const NETWORK = 'garua';
const STATE = '/run/garua';
/** Addresses that are taken. They end with the boot, as containers do. */
export const LEASES = `${STATE}/leases`;
/** Who is connected, one file for each; see attachments.ts. */
export const ATTACHMENTS = `${STATE}/networks`;
/** The network namespaces of containers, one bind mount for each. */
export const NAMESPACES = `${STATE}/namespaces`;

const CNI_VERSION = '1.0.0';

/** `address`: the one to give; the plugin refuses when somebody has it. */
export function bridgeConfig(address?: string) {
  return {
    cniVersion: CNI_VERSION,
    name: NETWORK,
    type: 'bridge',
    bridge: BRIDGE,
    isDefaultGateway: true,
    hairpinMode: true,
    ipam: { type: 'host-local', dataDir: LEASES, ranges: [[{ subnet: SUBNET }]] },
    ...(address === undefined ? {} : { args: { cni: { ips: [address] } } }),
  };
}

export function portmapConfig(ports: Required<PublishedPort>[], prevResult?: CniResult) {
  const portMappings = ports.map(({ hostPort, containerPort, protocol, hostAddress }) => ({
    hostPort,
    containerPort,
    protocol,
    // The plugin takes an absent address as all of them.
    ...(hostAddress === '0.0.0.0' ? {} : { hostIP: hostAddress }),
  }));
  return {
    cniVersion: CNI_VERSION,
    name: NETWORK,
    type: 'portmap',
    capabilities: { portMappings: true },
    snat: true,
    runtimeConfig: { portMappings },
    ...(prevResult ? { prevResult } : {}),
  };
}
