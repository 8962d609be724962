import type { Changes } from '../changes';
import type { ContainerPaths } from '../paths';
import type { ContainerRow, Health } from '../table';
import { Turns } from '../turns';
import { ask, type Subject } from './ask';
import { Verdict } from './verdict';

/** Questions under way over all containers: a machine of one core must not ask fifty at the same moment. */
const AT_ONCE = 4;
/** Found again after a change of owner, containers are asked for the first time within so many milliseconds. */
const SPREAD_MS = 1_000;
/** Intervals differ by up to this part, so that the probes of many containers drift apart. */
const JITTER = 0.1;

interface Question {
  kind: 'liveness' | 'readiness';
  verdict: Verdict;
  nextAt: number;
}

/** One run of one container; its questions are put one after another. */
interface Patient {
  row: ContainerRow;
  questions: Question[];
  timer?: NodeJS.Timeout;
  end: AbortController;
}

export interface ProberHooks {
  /** The health of a running container is another now. */
  onHealth(row: ContainerRow): void;
  /** A container is not alive any more, by its liveness probe. May be told more than once. */
  onUnhealthy(row: ContainerRow, why: string): void;
}

/** Puts the probes' questions to all running containers that have any. What it knows ends with the process. */
export class Prober {
  readonly #paths: ContainerPaths;
  readonly #hooks: ProberHooks;
  readonly #turns = new Turns(AT_ONCE);
  readonly #patients = new Map<string, Patient>();
  #unsubscribe: (() => void) | undefined;

  constructor(paths: ContainerPaths, hooks: ProberHooks) {
    this.#paths = paths;
    this.#hooks = hooks;
  }

  /** `running`: the containers that were there before. */
  start(changes: Changes<ContainerRow>, running: ContainerRow[]): void {
    for (const row of running) this.#consider(row, Math.random() * SPREAD_MS);
    this.#unsubscribe = changes.listen((row) => this.#consider(row, 0));
  }

  stop(): void {
    this.#unsubscribe?.();
    this.#unsubscribe = undefined;
    for (const id of [...this.#patients.keys()]) this.#dismiss(id);
  }

  /** `starting` where nobody asks. */
  health(row: ContainerRow): Health {
    if (row.state !== 'running' || !hasProbes(row)) return { state: 'none', detail: null };
    const verdicts = this.#patients.get(row.id)?.questions ?? [];
    const worst = verdicts.find(({ verdict }) => verdict.state === 'unhealthy');
    if (worst) return { state: 'unhealthy', detail: describe(worst) };
    const well = verdicts.length > 0 && verdicts.every(({ verdict }) => verdict.state === 'healthy');
    return { state: well ? 'healthy' : 'starting', detail: null };
  }

  /** Begins with a container whose deploy has put a question already, and got its answer. */
  known(row: ContainerRow): void {
    if (!this.#unsubscribe) return;
    this.#consider(row, 0);
    const before = this.health(row);
    for (const { kind, verdict } of this.#patients.get(row.id)?.questions ?? []) {
      if (kind === 'readiness' || !row.care.readiness) verdict.state = 'healthy';
    }
    if (this.health(row).state !== before.state) this.#hooks.onHealth(row);
  }

  #consider(row: ContainerRow, first: number): void {
    const present = this.#patients.get(row.id);
    const runs = row.state === 'running' && row.process !== null && row.moving === null;
    if (present && runs && present.row.process?.startTicks === row.process?.startTicks) {
      present.row = row;
      return;
    }
    if (present) this.#dismiss(row.id);
    if (!runs || !hasProbes(row)) return;
    const now = performance.now();
    const startedAt = now - Math.max(0, Date.now() - (row.startedAt ?? Date.now()));
    const questions = (['liveness', 'readiness'] as const).flatMap((kind) => {
      const probe = row.care[kind];
      return probe ? [{ kind, verdict: new Verdict(probe, startedAt), nextAt: now + first }] : [];
    });
    const patient: Patient = { row, questions, end: new AbortController() };
    this.#patients.set(row.id, patient);
    this.#wait(patient);
  }

  #dismiss(id: string): void {
    const patient = this.#patients.get(id);
    clearTimeout(patient?.timer);
    patient?.end.abort();
    this.#patients.delete(id);
  }

  #wait(patient: Patient): void {
    const next = patient.questions.reduce((one, other) => (other.nextAt < one.nextAt ? other : one));
    patient.timer = setTimeout(
      () => void this.#turns.run(() => this.#put(patient, next)),
      Math.max(0, next.nextAt - performance.now()),
    );
  }

  async #put(patient: Patient, question: Question): Promise<void> {
    const { signal } = patient.end;
    if (signal.aborted) return;
    const { kind, verdict } = question;
    const answer = await ask(patient.row.care[kind]!, subjectOf(patient.row, this.#paths), signal);
    if (signal.aborted) return;
    const before = this.health(patient.row);
    verdict.note(answer);
    question.nextAt = performance.now() + verdict.pause() * (1 + (Math.random() * 2 - 1) * JITTER);
    this.#wait(patient);
    const now = this.health(patient.row);
    if (now.state !== before.state || now.detail !== before.detail) this.#hooks.onHealth(patient.row);
    if (kind === 'liveness' && verdict.state === 'unhealthy' && answer.outcome === 'failure') {
      this.#hooks.onUnhealthy(patient.row, answer.detail);
    }
  }
}

export function subjectOf(row: ContainerRow, paths: ContainerPaths): Subject {
  const { id, address, ports, care } = row;
  const place = { id, folder: paths.of(id), runtimeRoot: paths.runtime };
  return { ...place, address, ports, ...(care.network ? { network: care.network } : {}) };
}

function hasProbes({ care }: ContainerRow): boolean {
  return care.liveness !== undefined || care.readiness !== undefined;
}

function describe({ kind, verdict }: Question): string {
  return `${kind} probe: ${verdict.detail ?? 'unhealthy'}`;
}
