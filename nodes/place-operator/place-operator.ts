import { setTimeout as delay } from 'node:timers/promises';
import type { Node, NodeAPI, NodeDef } from 'node-red';
import { AbortedError, fromErrorDocument, InvalidArgumentError, toGaruaError } from '../../lib/base';
import { Publisher } from '../../lib/mesh';
import { type FlowEvent, keyedTopic, type OperatorStatus, type PlacedOperator } from '../../lib/placement';
import { Backlog, nodeError, StatusLine, type Translate } from '../feedback';
import { type HostUse, useHost } from '../fog-host/use-host';
import { encodeMessage } from '../fog-messages';
import { describeOperator, outputWires, returnTopic } from './describe';
import type { DeployedFlows } from './flow-file';
import { type FlowPlace, join, type Member } from './flow-session';
import { keepLocalWires } from './local-wires';
import { Returns } from './returns';
import { needsOf, type OperatorNeeds, type OperatorSettings } from './settings';

interface PlaceOperatorDef extends NodeDef, OperatorSettings {
  host?: string;
  wires?: string[][];
}

type Message = Record<string, unknown>;
type Done = (error?: Error) => void;

/** What may wait for a host that is slow, or while the flow has no address yet. */
const BACKLOG = { messages: 50_000, bytes: 64 << 20 };
/** How long a node that is deployed anew waits for what it has taken, in ms; Node-RED itself waits 15 s. */
const CLOSE_PATIENCE = 8_000;
const TELL_PAUSE = 5_000;

/** What a message may ask by hand. */
interface Wish {
  site?: unknown;
  instances?: unknown;
}

/** The runtime side of one place-operator: hands messages to the operator wherever it runs, and out what comes back. */
class PlaceOperatorNode implements Member {
  readonly id: string;
  readonly preference: number;
  readonly #RED: NodeAPI;
  readonly #node: Node;
  readonly #needs: OperatorNeeds;
  readonly #reports: boolean;
  readonly #translate: Translate;
  readonly #lease: HostUse;
  readonly #publisher: Publisher;
  readonly #status: StatusLine;
  readonly #returns: Returns;
  readonly #leave: () => Promise<void>;
  /** Of the outputs, which come from the operator: the last may be this node's own. */
  #outputs = 0;
  readonly #place = Promise.withResolvers<FlowPlace>();
  readonly #expected = new Map<string, Promise<void>>();
  readonly #backlog = new Backlog(BACKLOG);
  readonly #handing = new Set<Promise<void>>();
  #encoding: Promise<unknown> = Promise.resolve();
  #failure = '';
  #dropped = 0;
  #telling: NodeJS.Timeout | undefined;

  constructor(RED: NodeAPI, node: Node, definition: PlaceOperatorDef, translate: Translate) {
    this.id = node.id;
    this.#RED = RED;
    this.#node = node;
    this.#translate = translate;
    this.#needs = needsOf(definition, translate);
    this.preference = this.#needs.preference;
    this.#reports = definition.report === true;
    this.#lease = useHost(RED, definition.host);
    this.#publisher = new Publisher(() => this.#lease.host());
    this.#status = new StatusLine('place-operator', (status) => node.status(status), translate);
    this.#returns = new Returns(
      this.#lease,
      (output, message) => this.#send(output, message),
      (error) => this.fail(error),
    );
    this.#place.promise.catch(() => {});
    keepLocalWires(RED, node, definition.wires);
    this.#status.working('placing');
    this.#leave = join(RED, definition.host, this);
  }

  input(message: Message, done: Done): void {
    const wish = message.placement as Wish | undefined;
    const work = wish && typeof wish === 'object' ? this.#obey(wish) : this.#hand(message);
    const handing = work
      .then(
        () => done(),
        (error) => done(nodeError(error, 'place-operator')),
      )
      .finally(() => this.#handing.delete(handing));
    this.#handing.add(handing);
  }

  describe(flows: DeployedFlows, place: FlowPlace): PlacedOperator {
    const all = flows.node(this.id)?.wires ?? [];
    const wires = outputWires(flows, this.#reports ? all.slice(0, -1) : all);
    const described = describeOperator(flows, this.id, this.#needs, place, wires);
    this.#outputs = wires.length;
    this.#place.resolve(place);
    this.#returns.listen(
      wires.flatMap(({ others }, output) =>
        others.length > 0 ? [{ output, topic: returnTopic(place.owner, place.flow, this.id, output) }] : [],
      ),
    );
    return described;
  }

  heed(event: FlowEvent): void {
    if (event.type === 'status') this.#show(event.status);
    else this.#node.log(`${this.#node.name || this.id}: ${event.reason}`);
    if (this.#reports) this.#send(this.#outputs, { payload: event });
  }

  fail(error: unknown): void {
    this.#status.failed();
    const { code, message } = toGaruaError(error);
    if (`${code} ${message}` !== this.#failure)
      this.#node.error(nodeError(error, 'place-operator'), {} as never);
    this.#failure = `${code} ${message}`;
  }

  async close(removed: boolean): Promise<void> {
    clearTimeout(this.#telling);
    this.#place.reject(new AbortedError('the message'));
    await Promise.race([Promise.all(this.#handing), delay(CLOSE_PATIENCE, undefined, { ref: false })]);
    await this.#leave();
    await this.#returns.close(removed);
    await this.#lease.release();
  }

  /** Messages are encoded one after another: a large one is not overtaken. */
  #hand(message: Message): Promise<void> {
    return this.#backlog.hold(async ({ grow }) => {
      const key = this.#needs.key === undefined ? undefined : this.#keyOf(message, this.#needs.key);
      const encoded = this.#encoding.then(() => encodeMessage(message));
      this.#encoding = encoded.catch(() => {});
      const { text } = await encoded;
      grow(text.length);
      const { owner, flow } = await this.#place.promise;
      const topic = keyedTopic(owner, flow, this.id, key);
      await this.#expect(topic);
      const { subscribers, dropped } = await this.#publisher.publish(topic, text);
      if (dropped > 0) this.#tellDropped(dropped);
      if (subscribers > 0) return;
      // The operator was removed and deployed again: its queue is to be made anew.
      this.#expected.delete(topic);
      await this.#expect(topic);
      await this.#publisher.publish(topic, text);
    });
  }

  /** Said once for many: a line that is cut off may drop thousands. */
  #tellDropped(count: number): void {
    this.#dropped += count;
    this.#telling ??= setTimeout(() => {
      this.#node.warn(this.#translate('place-operator.dropped', { n: this.#dropped }));
      this.#telling = undefined;
    }, TELL_PAUSE).unref();
  }

  /** Messages wait for the operator, also before it is placed. */
  #expect(topic: string): Promise<void> {
    let expected = this.#expected.get(topic);
    if (!expected) {
      expected = this.#lease.host().then((host) => host.expectSubscriber(topic, topic));
      this.#expected.set(topic, expected);
      expected.catch(() => this.#expected.delete(topic));
    }
    return expected;
  }

  #keyOf(message: Message, property: string): string {
    const value = this.#RED.util.getMessageProperty(message, property);
    return typeof value === 'string' ? value : JSON.stringify(value ?? '');
  }

  async #obey({ site, instances }: Wish): Promise<void> {
    const { flow } = await this.#place.promise;
    const host = await this.#lease.host();
    if (typeof site === 'string') await host.moveOperator(flow, this.id, site);
    else if (Number.isInteger(instances)) await host.scaleOperator(flow, this.id, instances as number);
    else throw new InvalidArgumentError(this.#translate('place-operator.invalid.wish'));
  }

  #send(output: number, message: Message): void {
    const messages: (Message | null)[] = new Array(output + 1).fill(null);
    messages[output] = message;
    this.#node.send(messages as never);
  }

  #show({ state, instances, error }: OperatorStatus): void {
    if (error) {
      this.fail(fromErrorDocument(error));
      return;
    }
    this.#failure = '';
    const sites = [...new Set(instances.map(({ site }) => site))];
    if (state === 'starting') this.#status.working('placing');
    else if (state === 'moving') this.#status.working('moving');
    else if (state === 'waiting') this.#status.waiting('waiting');
    else if (state === 'failed') this.#status.failed();
    else if (sites.length > 1) this.#status.ok('atSites', { n: instances.length, sites: sites.length });
    else this.#status.ok('at', { site: sites[0] ?? '' });
  }
}

export = (RED: NodeAPI): void => {
  function PlaceOperator(this: Node, definition: PlaceOperatorDef): void {
    RED.nodes.createNode(this, definition);
    const translate: Translate = (key, values) => RED._(key, values as never);
    let node: PlaceOperatorNode;
    try {
      node = new PlaceOperatorNode(RED, this, definition, translate);
    } catch (error) {
      this.status({
        fill: 'red',
        shape: 'ring',
        text: translate('place-operator.status.failed').slice(0, 19),
      });
      this.error(nodeError(error, 'place-operator'));
      this.on('input', (_message, _send, done) => done(nodeError(error, 'place-operator')));
      return;
    }
    this.on('input', (message, _send, done) => node.input(message as Message, done));
    this.on('close', (removed: boolean, done: () => void) => {
      void node.close(removed).finally(done);
    });
  }

  RED.nodes.registerType('place-operator', PlaceOperator as never);
};
