import { existsSync } from 'node:fs';
import type { NodeAPI } from 'node-red';
import { DataDirectory } from '../../lib/base';
import type { Translate } from '../feedback';
import { serveDialogs } from './admin';
import { hostPool } from './host-pool';
import { untilOpen } from './keep-open';
import { REGISTRY_SLOTS } from './registries';
import { defaultOptions, type FogHostDef, type FogHostNode } from './use-host';

export = (RED: NodeAPI): void => {
  function FogHost(this: FogHostNode, definition: FogHostDef): void {
    RED.nodes.createNode(this, definition);
    const standard = defaultOptions(RED);
    this.options = {
      ...standard,
      dataDirectory: definition.dataDirectory?.trim() || standard.dataDirectory,
      socket: definition.socket?.trim() || standard.socket,
      name: definition.name?.trim() || undefined,
      site: definition.site?.trim() || undefined,
    };
    this.registries = Array.isArray(definition.registries) ? definition.registries : [];
    stay(this);
  }

  /**
   * A host that has been opened stays open while its fog-host is deployed, also when no other node uses it: other
   * hosts of its fog look for it. One that belongs to a fog is opened at once.
   */
  function stay(node: FogHostNode): void {
    const lease = hostPool.acquire(node.options);
    const closing = new AbortController();
    node.on('close', (done: () => void) => {
      closing.abort();
      lease.release().finally(done);
    });
    const directory = new DataDirectory(node.options.dataDirectory);
    if (node.options.socket || !existsSync(directory.join('mesh', 'membership.json'))) return;
    const translate: Translate = (key, values) => RED._(key, values as never);
    void untilOpen(node, lease, translate, closing.signal);
  }

  const slots = Array.from({ length: REGISTRY_SLOTS }, (_, slot) => [
    `password${slot}`,
    { type: 'password' },
  ]);
  RED.nodes.registerType('fog-host', FogHost as never, { credentials: Object.fromEntries(slots) });
  serveDialogs(RED);
};
