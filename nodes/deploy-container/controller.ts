import { AbortedError, toGaruaError } from '../../lib/base';
import { type HostLease, hostPool } from '../fog-host/host-pool';
import type { HostUse } from '../fog-host/use-host';
import { isQuestion, perform, type Question } from './actions';
import { ContainerView, type Face, type Message } from './container-view';
import { JobQueue } from './job-queue';
import { type Belongings, ownership } from './ownership';
import { type Pauses, untilThere } from './retry';
import {
  type Action,
  actionOf,
  type DeployRequest,
  type DeploySettings,
  deployRequest,
  forbiddenOverrides,
  nameOf,
} from './settings';

/** What the controller needs of Node-RED. */
export interface Surroundings extends Face {
  /** See `placeOf`. */
  place: string;
  /** Warns with a text of the catalogue. */
  warn(key: string, values: Record<string, string>): void;
  /** The value at a path such as `payload.image`. */
  property(message: Message, path: string): unknown;
}

/** The removal when the node is deleted must end before Node-RED loses patience (15 s). */
const DELETE_GRACE = 5_000;
const DELETE_DRAIN = 2_000;

/** The life of one deploy-container node, from the start of its flow to the end. */
export class Controller {
  readonly #settings: DeploySettings;
  readonly #use: HostUse;
  readonly #node: Surroundings;
  readonly #queue = new JobQueue();
  readonly #view: ContainerView;
  readonly #belongings: Belongings;
  readonly #earlier: Belongings | undefined;
  readonly #warned = new Set<string>();
  readonly #unlisten: () => void;
  /** Fires when a message, or the end, makes the deploy at the start pointless. */
  readonly #starting = new AbortController();

  constructor(settings: DeploySettings, use: HostUse, node: Surroundings) {
    const { name } = settings.spec;
    this.#settings = settings;
    this.#use = use;
    this.#node = node;
    this.#earlier = ownership.get(node.place);
    const kept = this.#earlier?.hostKey === use.key ? this.#earlier : undefined;
    this.#belongings = {
      hostKey: use.key,
      options: use.options,
      name,
      names: new Set(kept?.names),
      scaled: new Set(kept?.scaled),
      logged: kept?.logged ?? new Map(),
    };
    ownership.set(node.place, this.#belongings);
    if (ownership.isShared(node.place, use.key, name)) node.warn('warning.name-shared', { name });
    this.#view = new ContainerView(node, this.#belongings, { host: use.host, logs: settings.logs });
    this.#unlisten = use.onContainer((status, initial) => {
      if (status.name !== name && !this.#belongings.names.has(status.name)) return;
      if (this.#queue.has(status.name)) this.#view.hold(status, initial);
      else this.#view.report(status, initial);
    });
  }

  /**
   * Brings the container about when the flow starts, and waits for a network or host that is not up yet.
   *
   * @throws {GaruaError}
   */
  async start(pauses?: Pauses): Promise<void> {
    const { start, image, spec } = this.#settings;
    let warned = false;
    const work = async () => {
      await this.#removeRenamed();
      if (start && image) await this.#act('deploy', {});
    };
    await untilThere(
      work,
      (missing, error) => {
        this.#view.status.waiting(missing);
        if (!warned)
          this.#node.warn(`warning.${missing}`, { name: spec.name, reason: toGaruaError(error).message });
        warned = true;
      },
      this.#starting.signal,
      pauses,
    );
  }

  /** Does what a message asks for; the outputs are sent before it resolves. @throws {GaruaError} */
  async input(message: Message): Promise<void> {
    for (const property of forbiddenOverrides(message)) {
      if (!this.#warned.has(property)) this.#node.warn('warning.ignored', { property: `msg.${property}` });
      this.#warned.add(property);
    }
    const action = actionOf(message);
    if (!isQuestion(action)) this.#starting.abort();
    await this.#act(action, message);
  }

  showError(error: unknown): void {
    const failure = toGaruaError(error);
    // Whoever cancelled a job shows what came instead.
    if (failure.code !== 'ERR_ABORTED') this.#view.status.error(failure);
  }

  /** Ends all calls. `removed`: the node was deleted or disabled, not only restarted. */
  async close(removed: boolean): Promise<void> {
    this.#unlisten();
    this.#starting.abort();
    await this.#queue.close();
    this.#view.close();
    try {
      if (removed) await this.#removeAll();
    } finally {
      await this.#use.release();
    }
  }

  async #act(action: Action, message: Message): Promise<void> {
    const name = nameOf(this.#settings, message);
    if (isQuestion(action)) return this.#answer(action, message, name);
    const request =
      action === 'deploy'
        ? deployRequest(this.#settings, message, (path) => this.#node.property(message, path))
        : undefined;
    try {
      await this.#queue.add({
        name,
        starts: action === 'deploy' || action === 'start' || action === 'restart',
        ends: action === 'stop' || action === 'remove',
        run: async (signal, cancelled) => {
          try {
            await this.#work(action, message, name, request, signal);
          } catch (error) {
            // The deploy that was cut short may have been the first: then all is as it should be.
            if (!cancelled || !isNotFound(error)) throw error;
            this.#view.outcome(message, name, {});
          }
        },
      });
    } finally {
      if (!this.#queue.has(name)) this.#view.tellHeld(name);
    }
  }

  async #answer(question: Question, message: Message, name: string): Promise<void> {
    const host = await this.#use.host();
    const container = await host.container(name);
    if (question === 'status') {
      this.#view.outcome(message, name, { container, logsSince: new Date().toISOString() });
      return;
    }
    const stats = (await host.stats()).find((usage) => usage.name === name);
    // Of a container that does not run there are none.
    this.#view.answer(message, name, stats ?? { name, state: container.state });
  }

  async #work(
    action: Exclude<Action, Question>,
    message: Message,
    name: string,
    request: DeployRequest | undefined,
    signal: AbortSignal,
  ): Promise<void> {
    this.#view.about(name);
    this.#view.status.working(action === 'deploy' ? 'resolving' : action);
    const host = await this.#use.host();
    if (signal.aborted) throw new AbortedError(`the ${action} of container ${name}`);
    const { names, scaled } = this.#belongings;
    const isScaled = scaled.has(name);
    if (request) names.add(name);
    if (request?.scale) scaled.add(name);
    const outcome = await perform(action, host, name, request, {
      signal,
      onProgress: (progress) => this.#view.status.progress(progress),
      isScaled,
      access: request ? this.#use.registryAccess(request.spec.image) : {},
    });
    if (action === 'remove') names.delete(name);
    if (action === 'remove' || (request && !request.scale)) scaled.delete(name);
    this.#view.outcome(message, name, outcome);
  }

  /** The container of the node's former name, or on its former host, has no place in the flow any more. */
  async #removeRenamed(): Promise<void> {
    const earlier = this.#earlier;
    if (!earlier?.names.has(earlier.name)) return;
    if (earlier.hostKey === this.#use.key && earlier.name === this.#settings.spec.name) return;
    this.#belongings.names.delete(earlier.name);
    if (ownership.isShared(this.#node.place, earlier.hostKey, earlier.name)) return;
    const lease = hostPool.acquire(earlier.options);
    try {
      await removeQuietly(lease, earlier.name, earlier.scaled.has(earlier.name));
    } finally {
      await lease.release();
    }
  }

  async #removeAll(): Promise<void> {
    const { place } = this.#node;
    const names = [...this.#belongings.names].filter(
      (name) => !ownership.isShared(place, this.#use.key, name),
    );
    ownership.delete(place);
    if (!this.#settings.removeOnDelete) return;
    const { scaled } = this.#belongings;
    await Promise.all(names.map((name) => removeQuietly(this.#use, name, scaled.has(name))));
  }
}

/** @throws what a removal throws, except that there is nothing to remove. */
async function removeQuietly(lease: HostLease, name: string, isScaled: boolean): Promise<void> {
  try {
    const host = await lease.host();
    const times = { graceMs: DELETE_GRACE, drainMs: DELETE_DRAIN };
    if (isScaled) await host.scale(name, { replicas: 0, ...times });
    else await host.remove(name, { force: true, graceMs: DELETE_GRACE });
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}

function isNotFound(error: unknown): boolean {
  return toGaruaError(error).code === 'ERR_CONTAINER_NOT_FOUND';
}
