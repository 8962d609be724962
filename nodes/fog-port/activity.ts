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
  /** Messages on their way to a node, and in its hands. */
  readonly #coming = new Map<string, number>();
  readonly #inHand = new Map<string, number>();
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
    add(this.#coming, id, 1);
    this.#total += 1;
  }

  received({ id }: HookedNode): void {
    this.#depth += 1;
    if (this.#depth === 1) this.#since = performance.now();
    // Some messages come without having been sent, as from link and catch nodes.
    if (add(this.#coming, id, -1)) this.#total -= 1;
    add(this.#inHand, id, 1);
    this.#total += 1;
  }

  returned(node: HookedNode): void {
    this.#depth -= 1;
    this.#lastEvent = performance.now();
    if (this.#depth === 0) this.handlerMs += this.#lastEvent - this.#since;
    if (!node._expectedDoneCount) this.done(node);
  }

  done({ id }: HookedNode): void {
    if (!add(this.#inHand, id, -1)) return;
    this.#total -= 1;
    if (this.#total === 0) this.check();
  }

  close(): void {
    clearInterval(this.#timer);
    ignore(this.#RED, this.#tab);
  }

  #giveUp(): void {
    if (this.#total === 0 || performance.now() - this.#lastEvent < QUIET) return;
    this.#coming.clear();
    this.#inHand.clear();
    this.#total = 0;
    this.check();
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

/** @returns false where there is nothing to take away */
function add(counts: Map<string, number>, id: string, change: 1 | -1): boolean {
  const count = (counts.get(id) ?? 0) + change;
  if (count < 0) return false;
  if (count === 0) counts.delete(id);
  else counts.set(id, count);
  return true;
}
