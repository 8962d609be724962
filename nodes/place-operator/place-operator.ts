import type { Node, NodeAPI, NodeDef } from 'node-red';
import { fromErrorDocument, InvalidArgumentError, toGaruaError } from '../../lib/base';
import type { FlowEvent, OperatorStatus, PlacedOperator } from '../../lib/placement';
import { nodeError, StatusLine, type Translate } from '../feedback';
import { type HostUse, useHost } from '../fog-host/use-host';
import type { Content } from '../fog-port';
import { describeOperator, outputWires, returnTopic } from './describe';
import type { DeployedFlows } from './flow-file';
import { type FlowPlace, join, type Member } from './flow-session';
import { keepLocalWires } from './local-wires';
import { OperatorInput } from './operator-input';
import { Returns } from './returns';
import { needsOf, type OperatorNeeds, type OperatorSettings } from './settings';

interface PlaceOperatorDef extends NodeDef, OperatorSettings {
  host?: string;
  wires?: string[][];
}

type Done = (error?: Error) => void;

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
  readonly #input: OperatorInput;
  readonly #status: StatusLine;
  readonly #returns: Returns;
  readonly #leave: () => Promise<void>;
  /** Of the outputs, which come from the operator: the last may be this node's own. */
  #outputs = 0;
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
    const { key } = this.#needs;
    this.#input = new OperatorInput({
      ...{ id: this.id, host: this.#lease.host },
      keyOf: (message) => (key === undefined ? undefined : this.#keyOf(message, key)),
      onDropped: (count) => this.#tellDropped(count),
    });
    this.#status = new StatusLine('place-operator', (status) => node.status(status), translate);
    this.#returns = new Returns(
      this.#lease,
      (output, message) => this.#send(output, message),
      (error) => this.fail(error),
    );
    keepLocalWires(RED, node, definition.wires);
    this.#status.working('placing');
    this.#leave = join(RED, definition.host, this);
  }

  input(message: Content, done: Done): void {
    const settled = (error?: unknown) =>
      done(error === undefined ? undefined : nodeError(error, 'place-operator'));
    const wish = message.placement as Wish | undefined;
    if (wish && typeof wish === 'object') this.#obey(wish).then(() => settled(), settled);
    else this.#input.send(message, settled);
  }

  describe(flows: DeployedFlows, place: FlowPlace): PlacedOperator {
    const all = flows.node(this.id)?.wires ?? [];
    const wires = outputWires(flows, this.#reports ? all.slice(0, -1) : all);
    const described = describeOperator(flows, this.id, this.#needs, place, wires);
    this.#outputs = wires.length;
    this.#input.locate(place);
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
    await this.#input.close();
    await this.#leave();
    await this.#returns.close(removed);
    await this.#lease.release();
  }

  /** Said once for many: a line that is cut off may drop thousands. */
  #tellDropped(count: number): void {
    this.#dropped += count;
    this.#telling ??= setTimeout(() => {
      this.#node.warn(this.#translate('place-operator.dropped', { n: this.#dropped }));
      this.#telling = undefined;
    }, TELL_PAUSE).unref();
  }

  #keyOf(message: Content, property: string): string {
    const value = this.#RED.util.getMessageProperty(message, property);
    return typeof value === 'string' ? value : JSON.stringify(value ?? '');
  }

  async #obey({ site, instances }: Wish): Promise<void> {
    const { flow } = await this.#input.place;
    const host = await this.#lease.host();
    if (typeof site === 'string') await host.moveOperator(flow, this.id, site);
    else if (Number.isInteger(instances)) await host.scaleOperator(flow, this.id, instances as number);
    else throw new InvalidArgumentError(this.#translate('place-operator.invalid.wish'));
  }

  #send(output: number, message: Content): void {
    const messages: (Content | null)[] = new Array(output + 1).fill(null);
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
    this.on('input', (message, _send, done) => node.input(message as Content, done));
    this.on('close', (removed: boolean, done: () => void) => {
      void node.close(removed).finally(done);
    });
  }

  RED.nodes.registerType('place-operator', PlaceOperator as never);
};
