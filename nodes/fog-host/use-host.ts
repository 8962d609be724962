import type { Node, NodeAPI, NodeDef } from 'node-red';
import { GaruaError } from '../../lib/base';
import type { OpenHostOptions } from '../../lib/control';
import { type HostLease, hostPool } from './host-pool';
import { ownEditor } from './own-editor';
import { type RegistryAccess, type RegistryRow, registryAccess } from './registries';

export interface FogHostDef extends NodeDef {
  dataDirectory?: string;
  socket?: string;
  site?: string;
  registries?: RegistryRow[];
}

export interface FogHostNode extends Node<Record<string, string>> {
  options: OpenHostOptions;
  registries: RegistryRow[];
}

/** A host in use by a node: release it when the node closes. */
export interface HostUse extends HostLease {
  readonly options: OpenHostOptions;
  /** Credentials and transport for the registry of an image, from the fog-host's dialog. */
  registryAccess(image: string): RegistryAccess;
}

/** The chosen fog-host does not exist, or is disabled. */
export class FogHostMissingError extends GaruaError {
  constructor(id: string) {
    super(
      'ERR_FOG_HOST_MISSING',
      `the fog-host ${id} that this node uses does not exist or is disabled`,
      'Open the node, choose a fog-host (or none, for the default one), then deploy.',
    );
  }
}

/**
 * The host behind a fog-host config node, shared by all nodes that use it. Without a config node: the
 * machine's default host, or what `garua: {dataDirectory, socket, nodeRed, nodeRedTokenFile}` in settings.js says.
 *
 * @throws {FogHostMissingError}
 */
export function useHost(RED: NodeAPI, configNodeId?: string): HostUse {
  const node = configNodeId ? (RED.nodes.getNode(configNodeId) as FogHostNode | null) : undefined;
  if (node === null || (node && !node.options)) throw new FogHostMissingError(configNodeId!);
  const options = node?.options ?? defaultOptions(RED);
  return {
    ...hostPool.acquire(options),
    options,
    registryAccess: (image) => (node ? registryAccess(node.registries, node.credentials ?? {}, image) : {}),
  };
}

/** What the administrator of this Node-RED wants where no fog-host says otherwise. */
export function defaultOptions(RED: NodeAPI): OpenHostOptions {
  const { garua } = RED.settings as unknown as { garua?: OpenHostOptions };
  return {
    dataDirectory: garua?.dataDirectory,
    socket: garua?.socket,
    nodeRed: garua?.nodeRed ?? ownEditor(RED),
    nodeRedTokenFile: garua?.nodeRedTokenFile,
  };
}
