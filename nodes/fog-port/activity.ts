import type { NodeAPI } from 'node-red';

/** What Node-RED's messaging hooks tell of a node. */
interface HookedNode {
  id: string;
  z?: string;
  /** Handlers that say when they are done; 0 for nodes that never do. */
  _expectedDoneCount?: number;
}

interface Delivery {
  destination: { node?: HookedNode };
}

/** Messages on their way to a node, and in its hands. */
interface Counts {
  coming: number;
  inHand: number;
}

interface Hooks {
  add(name: string, listener: (event: never) => void): void;
  remove(name: string): void;
}

const LABEL = 'garua-fog-port';
/** A node that has not said for so long that it is done, while nothing else happened, never will: in ms. */
const QUIET = 10_000;
const LOOK = 1_000;

/**
 * Knows whether messages are under way in a tab, by Node-RED's messaging hooks: from when one is sent to a node until
 * that node says that it is done with it, or has returned where it never says. A node that says so too early, as one
 * that collects messages, may hold something back in secret.
 */
export class TabActivity {
  /** Time in which the nodes of the tab used the event loop, in ms; what they do in callbacks is not seen. */
  handlerMs = 0;
  readonly #RED: NodeAPI;
  readonly #tab: string;
  readonly #onIdle: () => void;
  /** By node id; looked up for each message that goes to a node. */
  readonly #counts = new Map<string, Counts>();
  #total = 0;
  #depth = 0;
  #since = 0;
  #checking = false;
  #lastEvent = 0;
  readonly #timer: NodeJS.Timeout;

  /** `onIdle` is called each time that nothing is under way any more. */
  constructor(RED: NodeAPI, tab: string, onIdle: () => void) {
    this.#RED = RED;
    this.#tab = tab;
    this.#onIdle = onIdle;
    listen(RED, tab, this);
    this.#timer = setInterval(() => this.#giveUp(), LOOK).unref();
  }

  get isIdle(): boolean {
    return this.#total === 0;
  }

  /** Something was sent into the tab, perhaps to no node at all. */
  check(): void {
    if (this.#checking) return;
    this.#checking = true;
    // A node may say that it is done before it sends what comes of it.
    setImmediate(() => {
      this.#checking = false;
      if (this.#total === 0) this.#onIdle();
    });
  }

  coming({ id }: HookedNode): void {
    this.#lastEvent = performance.now();
    this.#of(id).coming += 1;
    this.#total += 1;
  }

  received({ id }: HookedNode): void {
    this.#depth += 1;
    if (this.#depth === 1) this.#since = performance.now();
    const counts = this.#of(id);
    counts.inHand += 1;
    // Some messages come without having been sent, as from link and catch nodes.
    if (counts.coming > 0) counts.coming -= 1;
    else this.#total += 1;
  }

  returned(node: HookedNode): void {
    this.#depth -= 1;
    this.#lastEvent = performance.now();
    if (this.#depth === 0) this.handlerMs += this.#lastEvent - this.#since;
    if (!node._expectedDoneCount) this.done(node);
  }

  done({ id }: HookedNode): void {
    const counts = this.#of(id);
    if (counts.inHand === 0) return;
    counts.inHand -= 1;
    this.#total -= 1;
    if (this.#total === 0) this.check();
  }

  close(): void {
    clearInterval(this.#timer);
    ignore(this.#RED, this.#tab);
  }

  #giveUp(): void {
    if (this.#total === 0 || performance.now() - this.#lastEvent < QUIET) return;
    this.#counts.clear();
    this.#total = 0;
    this.check();
  }

  #of(id: string): Counts {
    let counts = this.#counts.get(id);
    if (!counts) {
      counts = { coming: 0, inHand: 0 };
      this.#counts.set(id, counts);
    }
    return counts;
  }
}

/** The tabs that are listened to, of this process's Node-RED. */
const tabs = new Map<string, TabActivity>();

function listen(RED: NodeAPI, tab: string, activity: TabActivity): void {
  tabs.set(tab, activity);
  if (tabs.size > 1) return;
  const { hooks } = RED as unknown as { hooks: Hooks };
  const of = (node: HookedNode | undefined) => (node?.z === undefined ? undefined : tabs.get(node.z));
  const add = (name: string, listener: (node: HookedNode, tab: TabActivity) => void, find = destinationOf) =>
    hooks.add(`${name}.${LABEL}`, (event: never) => {
      const node = find(event);
      const tab = of(node);
      if (node && tab) listener(node, tab);
    });
  add('preDeliver', (node, tab) => tab.coming(node));
  add('onReceive', (node, tab) => tab.received(node));
  add('postReceive', (node, tab) => tab.returned(node));
  add(
    'onComplete',
    (node, tab) => tab.done(node),
    ({ node }: never) => (node as { node?: HookedNode }).node,
  );
}

function ignore(RED: NodeAPI, tab: string): void {
  tabs.delete(tab);
  if (tabs.size === 0) (RED as unknown as { hooks: Hooks }).hooks.remove(`*.${LABEL}`);
}

const destinationOf = (event: never): HookedNode | undefined => (event as Delivery).destination.node;
