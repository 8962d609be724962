import { type Measurements, Smoothed } from '../../controller';
import { inputTopic, type PlacedFlow } from '../flow';
import type { PortMeasures } from '../ports';
import { sourceOf } from './flow-model';
import type { OperatorRecord } from './records';
import { instanceName } from './specs';
import type { SurveyedHost } from './survey';

const HALF_LIFE_MS = 30_000;

/** What was last seen of an operator, smoothed. */
export class OperatorFigures {
  readonly #rate = new Smoothed(HALF_LIFE_MS);
  readonly #cores = new Smoothed(HALF_LIFE_MS);
  /** Messages that wait for it at all hosts that could be asked. */
  waiting = 0;
  /** What goes wrong inside, in words, as an instance said it last. */
  problem: string | undefined;
  /** What waited the time before. */
  waitedBefore = 0;

  get rate(): number | null {
    return this.#rate.value ?? null;
  }

  /** Handler time of all instances, as a part of a core. */
  get cores(): number | null {
    return this.#cores.value ?? null;
  }

  /** @param measures of the instances that answered; none is no news */
  update(measures: PortMeasures[], waiting: number, now: number): void {
    this.waitedBefore = this.waiting;
    this.waiting = waiting + measures.reduce((sum, { deferred }) => sum + deferred, 0);
    if (measures.length > 0) this.problem = measures.find(({ problem }) => problem)?.problem;
    const timed = measures.filter(({ spanMs }) => spanMs > 0);
    if (timed.length === 0) return;
    const span = Math.max(...timed.map(({ spanMs }) => spanMs));
    const sum = (of: (each: PortMeasures) => number) => timed.reduce((all, each) => all + of(each), 0);
    this.#rate.update(
      sum(({ messagesIn, spanMs }) => (messagesIn / spanMs) * 1000),
      now,
      span,
    );
    this.#cores.update(
      sum(({ handlerMs, spanMs }) => handlerMs / spanMs),
      now,
      span,
    );
  }
}

/** Takes what the hosts have measured since they were asked last. */
export function observe(
  {
    self,
    flow,
    records,
    hosts,
    now,
  }: {
    self: string;
    flow: PlacedFlow;
    records: ReadonlyMap<string, OperatorRecord>;
    hosts: SurveyedHost[];
    now: number;
  },
  measurements: Measurements,
  figures: Map<string, OperatorFigures>,
): void {
  const reports = hosts.flatMap(({ report }) => report ?? []);
  const instances = new Map(reports.flatMap((report) => report.instances.map((one) => [one.instance, one])));
  /** Messages a second to each operator that other operators have sent. */
  const sent = new Map<string, number>();
  const seen = flow.operators.flatMap((operator) => {
    const record = records.get(operator.id);
    if (!record) return [];
    const all = record.instances.flatMap(
      ({ number }) => instances.get(instanceName(self, flow.id, operator.id, number))?.measures ?? [],
    );
    return [{ operator, all: all.filter(({ spanMs }) => spanMs > 0) }];
  });
  for (const { operator, all } of seen) {
    const input = inputTopic(self, flow.id, operator.id);
    const figure = figures.get(operator.id) ?? new OperatorFigures();
    figures.set(operator.id, figure);
    figure.update(all, waitingFor(input, reports), now);
    if (all.length === 0) continue;
    const spanMs = Math.max(...all.map((each) => each.spanMs));
    const handlerMs = all.reduce((sum, each) => sum + each.handlerMs * (spanMs / each.spanMs), 0);
    measurements.operator({ operator: operator.id, handlerMs, spanMs }, now);
    const targets = operator.outputs.flatMap(({ operators, topics }) => [
      ...operators.map((id) => ({ topic: inputTopic(self, flow.id, id), to: [id] })),
      ...topics.map((topic) => ({ topic, to: [] as string[] })),
    ]);
    for (const { topic, to } of targets) {
      const { messages, bytes } = outOf(all, topic);
      for (const id of to) {
        sent.set(id, (sent.get(id) ?? 0) + (messages / spanMs) * 1000);
        measurements.stream({ from: operator.id, to: id, messages, bytes, spanMs }, now);
      }
      if (to.length > 0) continue;
      // Wherever it is heard.
      for (const { site } of hosts) {
        measurements.stream({ from: operator.id, to: `${topic} at ${site}`, messages, bytes, spanMs }, now);
      }
    }
  }
  for (const { operator, all } of seen) {
    if (all.length === 0) continue;
    const spanMs = Math.max(...all.map((each) => each.spanMs));
    const total = all.reduce((sum, each) => sum + each.messagesIn, 0);
    const bytesIn = all.reduce((sum, each) => sum + each.bytesIn, 0);
    const messages = Math.max(0, total - ((sent.get(operator.id) ?? 0) * spanMs) / 1000);
    const bytes = total === 0 ? 0 : (bytesIn / total) * messages;
    measurements.stream({ from: sourceOf(operator.id), to: operator.id, messages, bytes, spanMs }, now);
  }
}

function waitingFor(input: string, reports: SurveyedHost['report'][]): number {
  const counts = reports.flatMap((report) => Object.entries(report!.waiting));
  return counts.reduce(
    (sum, [topic, waiting]) => (topic === input || topic.startsWith(`${input}/`) ? sum + waiting : sum),
    0,
  );
}

/** Of all instances, and of all partitions that a topic may have. */
function outOf(all: PortMeasures[], topic: string): { messages: number; bytes: number } {
  const counts = all
    .flatMap(({ out }) => Object.entries(out))
    .filter(([name]) => name === topic || name.startsWith(`${topic}/`))
    .map(([, count]) => count);
  return {
    messages: counts.reduce((sum, each) => sum + each.messages, 0),
    bytes: counts.reduce((sum, each) => sum + each.bytes, 0),
  };
}
