import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import type { Node, NodeAPI } from 'node-red';
import type { KeyChoice, Snapshottable } from '../../lib/placement';
import { decodeMessage, encodeMessage } from '../fog-messages';
import { StateTooLargeError, StateUnreadableError } from './errors';

const compress = promisify(gzip);
const expand = promisify(gunzip);

/** The longest state as base64: it goes to the other host in one call, which has at most 4 MiB. */
const MAXIMUM_STATE = 3 << 20;
const MAXIMUM_EXPANDED = 512 << 20;

/** The states of an instance's nodes, by what all instances call a node. */
interface Document {
  version: 1;
  /** As base64. */
  nodes: Record<string, string>;
  /** Encoded as messages are. Absent where only some keys are meant: a context knows no keys. */
  contexts?: Record<string, string>;
}

interface Context {
  keys(done: (error: Error | null, keys: string[]) => void): void;
  get(keys: string[], done: (error: Error | null, ...values: unknown[]) => void): void;
  set(keys: string[], values: unknown[], done: (error: Error | null) => void): void;
}

/** The context of the whole tab. */
const FLOW = 'flow';

/** Gathers and gives back what the nodes of an instance know: of those that can be asked, and all contexts. */
export class InstanceState {
  readonly #RED: NodeAPI;
  /** The same name in all instances, by id. */
  readonly #origins: ReadonlyMap<string, string>;
  readonly #port: Node;

  constructor(RED: NodeAPI, port: Node, origins: Record<string, string>) {
    this.#RED = RED;
    this.#port = port;
    this.#origins = new Map(Object.entries(origins));
  }

  /** @throws {StateTooLargeError} */
  async snapshot(choose: KeyChoice | undefined): Promise<string> {
    const document: Document = { version: 1, nodes: {} };
    for (const [origin, node] of this.#members()) {
      if (isSnapshottable(node)) {
        document.nodes[origin] = Buffer.from(await node.snapshot(choose)).toString('base64');
      }
    }
    if (!choose) {
      document.contexts = {};
      for (const [origin, context] of this.#contexts()) {
        const text = await contentOf(context);
        if (text !== undefined) document.contexts[origin] = text;
      }
    }
    const state = (await compress(JSON.stringify(document))).toString('base64');
    if (state.length > MAXIMUM_STATE) throw new StateTooLargeError(state.length, MAXIMUM_STATE);
    return state;
  }

  /** @throws {StateUnreadableError} and what a node throws */
  async restore(state: string): Promise<void> {
    const { nodes, contexts = {} } = await read(state);
    for (const [origin, node] of this.#members()) {
      const saved = nodes[origin];
      if (saved !== undefined && isSnapshottable(node)) await node.restore(Buffer.from(saved, 'base64'));
    }
    for (const [origin, context] of this.#contexts()) {
      const saved = contexts[origin];
      if (saved !== undefined) await fill(context, await decodeMessage(saved));
    }
  }

  async forget(choose: KeyChoice | undefined): Promise<void> {
    for (const [, node] of this.#members()) if (isSnapshottable(node)) await node.forget(choose);
    if (choose) return;
    for (const [, context] of this.#contexts()) {
      const keys = await keysOf(context);
      await fill(context, Object.fromEntries(keys.map((key) => [key, undefined])));
    }
  }

  *#members(): Generator<[string, Node]> {
    for (const [id, origin] of this.#origins) {
      const node = this.#RED.nodes.getNode(id) as Node | null;
      if (node) yield [origin, node];
    }
  }

  *#contexts(): Generator<[string, Context]> {
    for (const [origin, node] of this.#members()) {
      if (typeof node.context === 'function') yield [origin, node.context() as unknown as Context];
    }
    yield [FLOW, this.#port.context().flow as unknown as Context];
  }
}

function isSnapshottable(node: object): node is Snapshottable {
  const { snapshot, restore, forget } = node as Partial<Snapshottable>;
  return [snapshot, restore, forget].every((method) => typeof method === 'function');
}

async function read(state: string): Promise<Document> {
  try {
    const bytes = await expand(Buffer.from(state, 'base64'), { maxOutputLength: MAXIMUM_EXPANDED });
    const document = JSON.parse(bytes.toString()) as Document;
    if (document.version === 1 && typeof document.nodes === 'object') return document;
  } catch (cause) {
    throw new StateUnreadableError({ cause });
  }
  throw new StateUnreadableError();
}

function keysOf(context: Context): Promise<string[]> {
  return new Promise((resolve, reject) => {
    context.keys((error, keys) => (error ? reject(error) : resolve(keys)));
  });
}

async function contentOf(context: Context): Promise<string | undefined> {
  const keys = await keysOf(context);
  if (keys.length === 0) return undefined;
  const values = await new Promise<unknown[]>((resolve, reject) => {
    context.get(keys, (error, ...all) => (error ? reject(error) : resolve(all)));
  });
  const { text } = await encodeMessage(Object.fromEntries(keys.map((key, at) => [key, values[at]])));
  return text;
}

function fill(context: Context, content: Record<string, unknown>): Promise<void> {
  const keys = Object.keys(content);
  if (keys.length === 0) return Promise.resolve();
  return new Promise((resolve, reject) => {
    context.set(keys, Object.values(content), (error) => (error ? reject(error) : resolve()));
  });
}
