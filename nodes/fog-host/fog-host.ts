import type { NodeAPI } from 'node-red';
import { serveDialogs } from './admin';
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
  serveDialogs(RED);
};
