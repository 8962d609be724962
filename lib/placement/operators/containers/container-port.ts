import { setTimeout as delay } from 'node:timers/promises';
import { toGaruaError } from '../../../base';
import type { ContainerEngine, ContainerInput, LogMark } from '../../../container';
import type { Message, Messages } from '../../../mesh';
import type { OperatorPorts, PortAnswer, PortCommand, PortMeasures } from '../ports';
import type { InstanceSpec } from '../runtime';
import { containerSpecOf, LABELS } from './container-spec';
import type { ContainerTable } from './container-table';
import type { HostContainers } from './containers';
import { ProgramBusyError } from './errors';
import { LineFeed } from './line-feed';
import { LineIntake } from './line-intake';
import { LineOutlet } from './line-outlet';
import { LONGEST_LINE, lineOf, readLine } from './lines';
import { stateOf } from './state';

export interface ContainerPortParts {
  spec: InstanceSpec;
  /** Its name; there is one by that name in the table. */
  container: string;
  /** This host. */
  peerId: string;
  table: ContainerTable;
  containers: HostContainers;
  messages: Messages;
  ports: OperatorPorts;
}

/** How long the program may take to be done with what it has, in ms: less than a host waits for a pause. */
const DRAIN_LIMIT = 12_000;
/** So long without a line is rest, in ms. */
const QUIET = 150;
const LOOK = 10;
const AGAIN = 300;
const TOO_LONG = `the program wrote a line of more than ${LONGEST_LINE} bytes, which was left out`;

/**
 * What `fog-port-in` and `fog-port-out` are for a subflow: gives the messages of an instance to the program in its
 * container, one line each, and publishes what the program writes.
 */
export class ContainerPort {
  readonly container: string;
  readonly #parts: ContainerPortParts;
  readonly #closing = new AbortController();
  readonly #feed: LineFeed;
  readonly #outlet: LineOutlet;
  readonly #intakes = new Map<string, LineIntake>();
  readonly #answered: boolean;
  readonly #attached: Promise<void>;
  /** Begins each id: what answers another port's message is none. */
  readonly #prefix = Math.random().toString(36).slice(2, 8);
  #turn: Promise<unknown> = Promise.resolve();
  #working: { stop: AbortController; done: Promise<unknown> } | undefined;
  #heardAt = 0;
  #count = 0;
  #measured = { at: performance.now(), cpu: 0 };
  #messages = 0;
  #bytes = 0;
  #problem: string | undefined;

  constructor(parts: ContainerPortParts) {
    const { spec, container, messages, table } = parts;
    this.container = container;
    this.#parts = parts;
    this.#answered = spec.body.kind === 'container' && spec.body.done === 'answered';
    this.#feed = new LineFeed({ open: (signal) => this.#input(signal), answered: this.#answered });
    this.#outlet = new LineOutlet({
      messages,
      targets: spec.targets[0] ?? [],
      onSent: (lines) => {
        for (const { answers } of lines) if (answers !== undefined) this.#feed.answer(answers);
        const { mark } = lines.at(-1)!;
        try {
          table.setMark(container, mark);
        } catch {
          // On a full disk: after a crash these lines may come twice.
        }
      },
    });
    this.#attached = this.#attach();
  }

  /** Whether it has anything to do: its container must stay here then. */
  get isWorking(): boolean {
    return this.#working !== undefined;
  }

  get isClosed(): boolean {
    return this.#closing.signal.aborted;
  }

  /** The program goes on. */
  async close(): Promise<void> {
    this.#closing.abort();
    await Promise.all([...this.#intakes.values()].map((intake) => intake.stop()));
    await this.#feed.close();
    await this.#outlet.close();
    await this.#rest();
    await this.#attached;
  }

  /** Makes a container anew that somebody has removed or stopped. */
  async mend(): Promise<void> {
    const turn = this.#turn.then(() => (this.#working ? this.#deploy() : undefined));
    this.#turn = turn.catch(() => {});
    await turn;
  }

  async #attach(): Promise<void> {
    const { ports, spec } = this.#parts;
    for await (const command of ports.attach(spec.instance, this.#closing.signal)) void this.#answer(command);
  }

  async #answer(command: PortCommand): Promise<void> {
    const { ports, spec } = this.#parts;
    const answer = await this.#obey(command).catch((error) => ({
      error: toGaruaError(error, `${command.type} of ${spec.name}`).toJSON(),
    }));
    ports.answer(spec.instance, command.id, answer);
  }

  async #obey(command: PortCommand): Promise<PortAnswer> {
    if (command.type === 'measure') return { measures: await this.#measure() };
    const turn = this.#turn.then(() => this.#inTurn(command));
    this.#turn = turn.catch(() => {});
    return turn;
  }

  async #inTurn(command: PortCommand): Promise<PortAnswer> {
    const { container, peerId, table } = this.#parts;
    if (command.type === 'start') await this.#start(command.partitions.map(({ subscriber }) => subscriber));
    else if (command.type === 'pause') await this.#pause(command.partitions);
    else if (command.type === 'snapshot' && this.#intakes.size === 0) {
      await this.#rest();
      await this.#outlet.settled();
      return { state: stateOf({ container, peerId, mark: table.find(container)?.mark }) };
    }
    return {};
  }

  async #start(subscribers: readonly string[]): Promise<void> {
    await this.#deploy();
    this.#work();
    for (const subscriber of subscribers) {
      this.#intakes.get(subscriber)?.resume();
      if (this.#intakes.has(subscriber)) continue;
      const intake = new LineIntake(subscriber, {
        messages: this.#parts.messages,
        take: (message, done, signal) => this.#take(subscriber, message, done, signal),
      });
      this.#intakes.set(subscriber, intake);
    }
  }

  /** Makes it run as the spec says; one that does is left alone. */
  async #deploy(): Promise<void> {
    const { container, containers, spec } = this.#parts;
    const wanted = containerSpecOf(spec, container);
    const { signal } = this.#closing;
    const engine = await containers.engine();
    const labels = (await engine.labels()).get(container);
    if (labels?.[LABELS.digest] === wanted.labels![LABELS.digest]) await engine.start(container, { signal });
    else await containers.deploy(wanted, { signal });
  }

  async #pause(subscribers: readonly string[]): Promise<void> {
    const intakes = subscribers.flatMap((name) => this.#intakes.get(name) ?? []);
    await Promise.all(intakes.map((intake) => intake.stop()));
    await this.#drain(subscribers);
    await Promise.all(intakes.map((intake) => intake.acknowledged()));
    for (const name of subscribers) this.#intakes.delete(name);
  }

  /** Waits until the program is done with what it has, and says nothing more. @throws {ProgramBusyError} */
  async #drain(subscribers: readonly string[]): Promise<void> {
    const end = performance.now() + DRAIN_LIMIT;
    for (let waiting = 1; waiting > 0; await delay(LOOK)) {
      waiting = this.#feed.waitingOf(subscribers);
      // Nobody has it: it comes again, wherever that will be.
      if (waiting > 0 && !(await this.#runs())) this.#feed.drop(subscribers);
      else if (waiting > 0 && performance.now() > end) throw new ProgramBusyError(this.container, waiting);
    }
    // While it works for others it is never quiet.
    const isAll = this.#intakes.size === subscribers.length;
    this.#heardAt = performance.now();
    const limit = isAll ? end : this.#heardAt + QUIET;
    const isQuiet = () => performance.now() - this.#heardAt >= QUIET && this.#outlet.isIdle;
    while (performance.now() < limit && !isQuiet()) await delay(LOOK);
  }

  async #take(source: string, message: Message, done: () => void, signal: AbortSignal): Promise<boolean> {
    while (this.#feed.isFull || this.#outlet.isFull) {
      if (signal.aborted) return false;
      await Promise.race([this.#feed.change(signal), delay(AGAIN, undefined, { ref: false })]);
    }
    if (signal.aborted) return false;
    this.#count += 1;
    const id = this.#answered ? `${this.#prefix}-${this.#count}` : undefined;
    const text = lineOf(message.body, id);
    const size = Buffer.byteLength(text);
    this.#messages += 1;
    this.#bytes += size;
    if (size <= LONGEST_LINE) this.#feed.give({ text, id, source, done });
    else {
      this.#problem = `a message of ${size} bytes was left out: a line has ${LONGEST_LINE} at most`;
      done();
    }
    return true;
  }

  /** Hears what the program says, and whether it runs. */
  #work(): void {
    if (this.#working) return;
    const stop = new AbortController();
    const signal = AbortSignal.any([stop.signal, this.#closing.signal]);
    this.#working = { stop, done: Promise.all([this.#hear(signal), this.#watch(signal)]).catch(() => {}) };
  }

  async #rest(): Promise<void> {
    this.#working?.stop.abort();
    await this.#working?.done;
    this.#working = undefined;
  }

  async #hear(signal: AbortSignal): Promise<void> {
    const { container, containers, table } = this.#parts;
    let mark: LogMark | undefined = table.find(container)?.mark;
    let isCut = false;
    while (!signal.aborted) {
      try {
        const engine = await containers.engine();
        for await (const { time, stream, text, goesOn } of engine.logs(container, {
          follow: true,
          after: mark,
          signal,
        })) {
          mark = { time, lines: time === mark?.time ? mark.lines + 1 : 1 };
          if (stream !== 'stdout') continue;
          this.#heardAt = performance.now();
          const wasCut = isCut;
          isCut = goesOn === true;
          if (isCut || wasCut || Buffer.byteLength(text) > LONGEST_LINE) this.#problem = TOO_LONG;
          else await this.#outlet.send({ ...readLine(text), mark });
        }
      } catch {
        // It is not there for a moment.
      }
      await delay(AGAIN, undefined, { signal, ref: false }).catch(() => {});
    }
  }

  async #watch(signal: AbortSignal): Promise<void> {
    const engine = await this.#parts.containers.engine();
    for await (const { name, state, reason } of engine.watch({ signal })) {
      if (name !== this.container) continue;
      if (state === 'restarting' || state === 'failed') this.#problem = `its program ended: ${reason}`;
      // What is said may be about one that was replaced.
      const now = await engine.get(name).catch(() => undefined);
      this.#feed.lost(now?.state === 'running' ? now.pid : null);
    }
  }

  async #input(signal: AbortSignal): Promise<ContainerInput> {
    while (!signal.aborted) {
      try {
        return await (await this.#parts.containers.engine()).input(this.container);
      } catch {
        await delay(AGAIN, undefined, { signal, ref: false }).catch(() => {});
      }
    }
    throw signal.reason;
  }

  async #runs(): Promise<boolean> {
    const engine = await this.#parts.containers.engine();
    return engine.get(this.container).then(
      ({ state }) => state === 'running',
      () => false,
    );
  }

  /** Why it does not run though it should. */
  async #whyNot(engine: Pick<ContainerEngine, 'get'>): Promise<string | undefined> {
    if (!this.#working) return undefined;
    const { state, reason } = await engine
      .get(this.container)
      .catch(() => ({ state: 'removed', reason: null }));
    return state === 'running' ? undefined : `its program does not run: ${reason ?? state}`;
  }

  async #measure(): Promise<PortMeasures> {
    const engine = await this.#parts.containers.engine();
    const stats = (await engine.stats()).find(({ name }) => name === this.container);
    const now = performance.now();
    const cpu = stats?.cpuSeconds ?? 0;
    // A container that was started anew counts from nothing.
    const used = cpu >= this.#measured.cpu ? cpu - this.#measured.cpu : cpu;
    const measures: PortMeasures = {
      spanMs: now - this.#measured.at,
      handlerMs: used * 1000,
      messagesIn: this.#messages,
      bytesIn: this.#bytes,
      out: this.#outlet.takeSent(),
      deferred: this.#feed.waiting,
      problem: this.#problem ?? (await this.#whyNot(engine)),
    };
    this.#measured = { at: now, cpu };
    this.#messages = 0;
    this.#bytes = 0;
    this.#problem = undefined;
    return measures;
  }
}
