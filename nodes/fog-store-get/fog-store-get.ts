import type { Node, NodeAPI, NodeDef } from 'node-red';
import { InvalidArgumentError, parseSize } from '../../lib/base';
import { callWithOutput, callWithOutputFile } from '../../lib/control';
import type { GetResult, Host } from '../../lib/host';
import type { StatusLine } from '../feedback';
import { type Message, readProperty, StoreNode, type StoreWork, typedValue, type Work } from '../fog-store';
import { Collector } from './collector';

interface FogStoreGetDef extends NodeDef {
  host?: string;
  /** A CID or a name. */
  object?: string;
  objectType?: string;
  output?: string;
  filename?: string;
  filenameType?: string;
  /** Bytes that may be held in memory, such as `16m`. */
  limit?: string;
}

type Output = 'buffer' | 'text' | 'json' | 'file';

class GetWork implements StoreWork {
  readonly #output: Output;
  readonly #limit: number;

  constructor(
    private readonly RED: NodeAPI,
    private readonly definition: FogStoreGetDef,
  ) {
    this.#output = outputOf(definition.output);
    this.#limit = parseSize(definition.limit || '64m');
  }

  async check(host: Host, status: StatusLine): Promise<void> {
    await host.info();
    status.ok('ready');
  }

  async serve(message: Message, { host, call, status }: Work): Promise<Message> {
    const object = this.#object(message);
    if (this.#output === 'file') {
      const file = this.#file(message);
      const result = await callWithOutputFile(file, (path) => host.get(object, path, call));
      status.done(result.source);
      return { ...message, payload: { ...result, filename: file }, filename: file };
    }
    const collector = new Collector();
    const options = { ...call, limit: this.#limit };
    const result: GetResult = await callWithOutput(collector, (path) => host.get(object, path, options));
    status.done(result.source);
    return { ...message, payload: this.#payload(collector.bytes(), result), object: result };
  }

  /** What a `fog-store-put` has sent names the object, too. */
  #object(message: Message): string {
    const { object, objectType } = this.definition;
    const chosen = typedValue(object || 'payload', object ? objectType : 'msg');
    const found: unknown = chosen.type === 'msg' && this.RED.util.getMessageProperty(message, chosen.value);
    const { cid } = (typeof found === 'object' && found ? found : {}) as { cid?: unknown };
    const text = typeof cid === 'string' ? cid : readProperty(this.RED, message, chosen);
    if (text !== undefined) return text;
    throw new InvalidArgumentError(
      'the message names no object',
      `Set msg.${chosen.value} to a CID or a name.`,
    );
  }

  #file(message: Message): string {
    const { filename, filenameType } = this.definition;
    const file = readProperty(this.RED, message, typedValue(filename, filenameType));
    if (file !== undefined) return file;
    throw new InvalidArgumentError(
      'there is no name of a file to write',
      "Set msg.filename, or the dialog's.",
    );
  }

  #payload(bytes: Buffer, { cid }: GetResult): unknown {
    if (this.#output === 'buffer') return bytes;
    const text = bytes.toString();
    if (this.#output === 'text') return text;
    try {
      return JSON.parse(text);
    } catch (error) {
      throw new InvalidArgumentError(`the object ${cid} is no JSON`, 'Get it as text or as a buffer.', {
        cause: error,
      });
    }
  }
}

function outputOf(text = 'buffer'): Output {
  if (text === 'buffer' || text === 'text' || text === 'json' || text === 'file') return text;
  throw new InvalidArgumentError(`"${text}" is no form of an object`, 'Use buffer, text, json or file.');
}

export = (RED: NodeAPI): void => {
  function FogStoreGet(this: Node, definition: FogStoreGetDef): void {
    RED.nodes.createNode(this, definition);
    new StoreNode(RED, this, definition, () => new GetWork(RED, definition));
  }

  RED.nodes.registerType('fog-store-get', FogStoreGet as never);
};
