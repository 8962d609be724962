/** Node-RED for tests of the nodes: in this process, on the lane that GARUA_NODE_RED names. */
import { EventEmitter, once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { Node, NodeInitializer } from 'node-red';
import type { Translate } from '../../nodes/deploy-container/status-line';

/** The checkout; built tests lie in dist/test/support. */
export const PROJECT = join(__dirname, '../../..');

/** `node-red` (the newest) or `node-red-4`, the oldest that is supported. */
export const NODE_RED = process.env.GARUA_NODE_RED ?? 'node-red';

type Catalogue = Record<string, Record<string, Record<string, string>>>;

function catalogue(node: string): Catalogue {
  const path = join(PROJECT, 'nodes', node, 'locales/en-US', `${node}.json`);
  return JSON.parse(readFileSync(path, 'utf8'));
}

/** Translates from a node's own catalogue; unknown keys come back, as in Node-RED. */
export function translatorOf(node: string): Translate {
  const texts = catalogue(node);
  return (key, values = {}) => {
    const text = key.split('.').reduce<unknown>((level, part) => (level as Catalogue)?.[part], texts);
    if (typeof text !== 'string') return key;
    return text.replace(/__(\w+)__/g, (_all, name) => String(values[name]));
  };
}
translatorOf.catalogue = catalogue;

/** A node of a flow, as it stands in the flow file. */
export interface FlowNode {
  id: string;
  type: string;
  z?: string;
  wires?: string[][];
  [property: string]: unknown;
}

interface HttpAnswer {
  status: number;
  body: unknown;
}

/** The parts of node-red-node-test-helper that are used; it has no types of its own. */
interface Helper {
  init(runtimePath: string, settings?: object): void;
  settings(settings: object): object;
  startServer(): Promise<void>;
  stopServer(): Promise<void>;
  load(nodes: NodeInitializer[], flow: FlowNode[], credentials?: object): Promise<void>;
  unload(): Promise<void>;
  getNode(id: string): Node;
  request(): {
    get(path: string): Promise<HttpAnswer>;
    post(path: string): { send(body: object): Promise<HttpAnswer> };
  };
  _redNodes: { setFlows(flow: FlowNode[], credentials: object, type: string): Promise<void> };
  _events: EventEmitter;
}

const nodes = [
  'fog-host',
  'deploy-container',
  'window',
  'fog-out',
  'migrate',
  'fog-in',
  'fog-port-in',
  'fog-port-out',
  'fog-store-put',
  'fog-store-get',
];

/** Runs flows with this package's nodes in this process. Call it inside `describe`. */
export class TestNodeRed {
  readonly helper: Helper = require('node-red-node-test-helper');
  /** All that each node received, by id. */
  readonly received = new Map<string, Record<string, unknown>[]>();
  /** All status texts that each node showed, as `colour shape text`. */
  readonly shown = new Map<string, string[]>();
  #loaded = false;
  readonly #news = new EventEmitter().setMaxListeners(0);

  constructor() {
    const require = createRequire(__filename);
    before(async () => {
      this.helper.init(require.resolve(NODE_RED));
      await this.helper.startServer();
    });
    after(() => this.helper.stopServer());
    // As if all nodes were deleted: they take their containers with them.
    afterEach(async () => {
      if (this.#loaded) await this.deploy([]);
      this.#loaded = false;
      await this.helper.unload();
      this.received.clear();
      this.shown.clear();
    });
  }

  /** Loads the flow and starts it. */
  async load(flow: FlowNode[], credentials: object = {}): Promise<void> {
    const initializers = nodes.map((node) => withTexts(node, require(`../../nodes/${node}/${node}`)));
    this.helper._events.removeAllListeners('node-status');
    this.helper._events.on('node-status', ({ id, status }) => {
      if (status) this.#keep(this.shown, id, [status.fill, status.shape, status.text].join(' '));
    });
    this.#loaded = flow.length > 0;
    await this.helper.load(initializers, flow, credentials);
    this.#listen(flow);
  }

  /** What the Deploy button does. */
  async deploy(flow: FlowNode[], type: 'full' | 'flows' | 'nodes' = 'full'): Promise<void> {
    const started = once(this.helper._events, 'flows:started');
    await this.helper._redNodes.setFlows(flow, {}, type);
    await started;
    this.#listen(flow);
  }

  /** Sends a message into a node. */
  send(id: string, message: Record<string, unknown> = {}): void {
    this.helper.getNode(id).receive(message as never);
  }

  /** The next message (from `from` on) at a helper node that fits; waits for it. */
  async message(
    id: string,
    fits: (message: Record<string, unknown>) => boolean = () => true,
    from = 0,
  ): Promise<Record<string, unknown>> {
    for (;;) {
      const found = (this.received.get(id) ?? []).slice(from).find(fits);
      if (found) return found;
      await once(this.#news, 'news');
    }
  }

  /** Waits until a node shows a status that fits. */
  async status(id: string, fits: RegExp): Promise<string> {
    for (;;) {
      const found = this.shown.get(id)?.find((text) => fits.test(text));
      if (found) return found;
      await once(this.#news, 'news');
    }
  }

  #listen(flow: FlowNode[]): void {
    for (const { id, type } of flow) {
      if (type !== 'helper') continue;
      const node = this.helper.getNode(id);
      if (node.listenerCount('input') > 0) continue;
      node.on('input', (message, _send, done) => {
        this.#keep(this.received, id, message);
        done();
      });
    }
  }

  #keep<T>(store: Map<string, T[]>, id: string, item: T): void {
    const list = store.get(id);
    if (list) list.push(item);
    else store.set(id, [item]);
    this.#news.emit('news');
  }
}

/** The test helper's RED does not translate; this makes it. */
function withTexts(node: string, initialize: NodeInitializer): NodeInitializer {
  return (RED) => initialize(Object.create(RED, { _: { value: translatorOf(node) } }));
}
