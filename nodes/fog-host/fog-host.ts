import type { NodeAPI } from 'node-red';
import { hostPool } from './host-pool';
import { hostStatus } from './host-status';
import { REGISTRY_SLOTS } from './registries';
import { defaultOptions, type FogHostDef, type FogHostNode } from './use-host';

export = (RED: NodeAPI): void => {
  function FogHost(this: FogHostNode, definition: FogHostDef): void {
    RED.nodes.createNode(this, definition);
    const standard = defaultOptions(RED);
    this.options = {
      dataDirectory: definition.dataDirectory?.trim() || standard.dataDirectory,
      socket: definition.socket?.trim() || standard.socket,
      name: definition.name?.trim() || undefined,
    };
    this.registries = Array.isArray(definition.registries) ? definition.registries : [];
  }

  const slots = Array.from({ length: REGISTRY_SLOTS }, (_, slot) => [
    `password${slot}`,
    { type: 'password' },
  ]);
  RED.nodes.registerType('fog-host', FogHost as never, { credentials: Object.fromEntries(slots) });

  // What the dialog shows. An id that is not deployed yet opens nothing: reading must not make folders.
  RED.httpAdmin.get(
    '/garua/host/:id/status',
    RED.auth.needsPermission('fog.read'),
    async (request, response) => {
      const node = RED.nodes.getNode(request.params.id as string) as FogHostNode | null;
      const lease = node?.options ? hostPool.acquire(node.options) : undefined;
      try {
        response.json(await hostStatus(lease));
      } finally {
        await lease?.release();
      }
    },
  );
};
