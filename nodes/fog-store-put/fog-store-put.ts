import type { Node, NodeAPI, NodeDef } from 'node-red';
import { InvalidArgumentError } from '../../lib/base';
import { callWithInput, callWithInputFile } from '../../lib/control';
import type { Host, PutFileOptions, PutFileResult } from '../../lib/host';
import { parseReplication, type Replication } from '../../lib/store';
import type { StatusLine } from '../feedback';
import { type Message, readProperty, StoreNode, type StoreWork, typedValue, type Work } from '../fog-store';
import { bytesOf } from './source';

interface FogStorePutDef extends NodeDef {
  host?: string;
  /** `payload`: what a property of the message holds; `file`: a file of this machine. */
  source?: string;
  property?: string;
  filename?: string;
  filenameType?: string;
  objectName?: string;
  objectNameType?: string;
  /** local, near:N or all. */
  replicate?: string;
  pin?: boolean;
}

class PutWork implements StoreWork {
  readonly #fromFile: boolean;
  readonly #property: string;
  readonly #replicate: Replication;

  constructor(
    private readonly RED: NodeAPI,
    private readonly definition: FogStorePutDef,
  ) {
    this.#fromFile = definition.source === 'file';
    this.#property = definition.property?.trim() || 'payload';
    this.#replicate = parseReplication(definition.replicate || 'local');
  }

  async check(host: Host, status: StatusLine): Promise<void> {
    await host.info();
    if (this.#replicate !== 'local' && (await host.fog()) === undefined) status.waiting('noFog');
    else status.ok('ready');
  }

  async serve(message: Message, { host, call, status }: Work): Promise<Message> {
    const { objectName, objectNameType, pin = false } = this.definition;
    const name = readProperty(this.RED, message, typedValue(objectName, objectNameType));
    const options: PutFileOptions = {
      ...call,
      replicate:
        message.replicate === undefined ? this.#replicate : parseReplication(String(message.replicate)),
      name,
      pin: typeof message.pin === 'boolean' ? message.pin : pin,
    };
    const result = await this.#put(message, (path) => host.put(path, options));
    const { replicas, pending } = result;
    if (pending.length > 0) status.waiting('pending', { n: pending.length });
    else status.done(replicas.length > 0 ? `nas +${replicas.length}` : 'nas');
    return { ...message, payload: result };
  }

  #put(message: Message, put: (path: string) => Promise<PutFileResult>): Promise<PutFileResult> {
    if (!this.#fromFile) {
      const value: unknown = this.RED.util.getMessageProperty(message, this.#property);
      const bytes = bytesOf(value, this.#property);
      return callWithInput(once(bytes), put);
    }
    const { filename, filenameType } = this.definition;
    const file = readProperty(this.RED, message, typedValue(filename, filenameType));
    if (file === undefined) {
      throw new InvalidArgumentError(
        'there is no name of a file to put',
        "Set msg.filename, or the dialog's.",
      );
    }
    return callWithInputFile(file, put);
  }
}

async function* once(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  if (bytes.length > 0) yield bytes;
}

export = (RED: NodeAPI): void => {
  function FogStorePut(this: Node, definition: FogStorePutDef): void {
    RED.nodes.createNode(this, definition);
    new StoreNode(RED, this, definition, () => new PutWork(RED, definition));
  }

  RED.nodes.registerType('fog-store-put', FogStorePut as never);
};
