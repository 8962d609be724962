import { InvalidArgumentError } from '../../../base';
import type { Mesh } from '../../../mesh';
import { containerIn } from '../containers';
import { checkSpec, isDevice } from './check-spec';
import type { Handover, InstanceSpec, OperatorRuntime, RuntimeReport, Subscriber, TakeOver } from './runtime';

const CALLS = {
  look: 'operators.look',
  start: 'operators.start',
  hold: 'operators.hold',
  handOver: 'operators.hand-over',
  takeOver: 'operators.take-over',
  renounce: 'operators.renounce',
  takeBack: 'operators.take-back',
  release: 'operators.release',
  remove: 'operators.remove',
} as const;

/** A Node-RED that loads nodes slowly, in ms. */
const START_LIMIT = 90_000;
/** A container's image, or the container itself, may have to come over a slow line, in ms. */
const CONTAINER_LIMIT = 15 * 60_000;
/** An instance may take a while to finish what it has begun. */
const LIMIT = 25_000;
/** Devices that may be asked for at once. */
const MOST_DEVICES = 64;

/** What all calls but the first say. */
interface About {
  instance: string;
  subscribers?: Subscriber[];
  epoch?: number;
  request?: TakeOver;
}

/** How another host is asked. What the calls name as the owner is this host. */
export function runtimeOver(mesh: Mesh, peerId: string): OperatorRuntime {
  const call = <T>(name: string, argument: unknown, timeoutMs = LIMIT, signal?: AbortSignal) =>
    mesh.call<T>(peerId, name, argument, { timeoutMs, signal });
  return {
    look: (_owner, devices, signal) => call<RuntimeReport>(CALLS.look, { devices }, LIMIT, signal),
    start: (spec, signal) =>
      call<void>(CALLS.start, spec, spec.body.kind === 'container' ? CONTAINER_LIMIT : START_LIMIT, signal),
    hold: (_owner, instance, subscribers, epoch, signal) =>
      call<void>(CALLS.hold, { instance, subscribers, epoch }, LIMIT, signal),
    handOver: (_owner, instance, subscribers, signal) =>
      call<Handover>(CALLS.handOver, { instance, subscribers }, LIMIT, signal),
    takeOver: (_owner, instance, request, signal) =>
      call<void>(CALLS.takeOver, { instance, request }, takeOverLimit(request), signal),
    renounce: (_owner, instance, subscribers, signal) =>
      call<boolean>(CALLS.renounce, { instance, subscribers }, LIMIT, signal),
    takeBack: (_owner, instance, subscribers, epoch, signal) =>
      call<void>(CALLS.takeBack, { instance, subscribers, epoch }, LIMIT, signal),
    release: (_owner, instance, subscribers, signal) =>
      call<void>(CALLS.release, { instance, subscribers }, LIMIT, signal),
    remove: (_owner, instance, signal) => call<void>(CALLS.remove, { instance }, START_LIMIT, signal),
  };
}

const takeOverLimit = ({ state }: TakeOver) => (containerIn(state) ? CONTAINER_LIMIT : LIMIT);

/** Serves the other hosts of the fog, each for its own operators. `check`: whether it may place flows here. */
export function serveRuntime(
  mesh: Mesh,
  runtime: OperatorRuntime,
  check: (peerId: string) => Promise<void>,
): void {
  const serve = <T>(
    name: string,
    answer: (owner: string, argument: T, signal: AbortSignal) => Promise<unknown>,
  ) =>
    mesh.serve(name, async (argument: T, { peerId, signal }) => {
      await check(peerId);
      return (await answer(peerId, argument, signal)) ?? null;
    });
  serve(CALLS.look, (owner, { devices }: { devices: string[] }, signal) =>
    runtime.look(owner, checkTexts(devices).filter(isDevice).slice(0, MOST_DEVICES), signal),
  );
  serve(CALLS.start, (owner, spec: InstanceSpec, signal) => runtime.start(checkSpec(spec, owner), signal));
  serve(CALLS.hold, (owner, about: About) => runtime.hold(owner, ...checked(about, owner), epochOf(about)));
  serve(CALLS.handOver, (owner, about: About) => runtime.handOver(owner, ...checked(about, owner)));
  serve(CALLS.takeOver, (owner, { instance, request }: About) => {
    const subscribers = checkSubscribers(request?.subscribers, owner);
    return runtime.takeOver(owner, instance, { ...request!, subscribers });
  });
  serve(CALLS.renounce, (owner, about: About) => runtime.renounce(owner, ...checked(about, owner)));
  serve(CALLS.takeBack, (owner, about: About) =>
    runtime.takeBack(owner, ...checked(about, owner), epochOf(about)),
  );
  serve(CALLS.release, (owner, about: About) => runtime.release(owner, ...checked(about, owner)));
  serve(CALLS.remove, (owner, { instance }: About) => runtime.remove(owner, instance));
}

function checked({ instance, subscribers }: About, owner: string): [string, Subscriber[]] {
  return [instance, checkSubscribers(subscribers, owner)];
}

/** A host may speak of its own operators only. */
function checkSubscribers(subscribers: unknown, owner: string): Subscriber[] {
  const texts = checkTexts(subscribers);
  const foreign = texts.find((text) => !text.startsWith(`operators/${owner}/`));
  if (foreign === undefined) return texts;
  throw new InvalidArgumentError(`${foreign} is no input of an operator of ${owner}`);
}

function checkTexts(texts: unknown): string[] {
  if (Array.isArray(texts) && texts.every((text) => typeof text === 'string')) return texts;
  throw new InvalidArgumentError('what should be a list of texts is none');
}

function epochOf({ epoch }: About): number {
  if (Number.isSafeInteger(epoch)) return epoch!;
  throw new InvalidArgumentError(`an epoch of ${epoch} is none`);
}
