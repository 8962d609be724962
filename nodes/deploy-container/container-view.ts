import type { NodeMessage, NodeStatus } from 'node-red';
import type { ContainerStatus } from '../../lib/container';
import type { Host, ScaleResult } from '../../lib/host';
import type { PullResult } from '../../lib/image';
import type { Outcome } from './actions';
import { LogFollower } from './log-follower';
import type { Belongings } from './ownership';
import { ReplicaFollower } from './replica-follower';
import { StateTracker } from './state-tracker';
import { StatusLine, type Translate } from './status-line';

export type Message = NodeMessage & Record<string, unknown>;

/** What a node shows and sends. */
export interface Face {
  status(status: NodeStatus): void;
  /** First output, second output. */
  send(messages: [Message | null, Message | null]): void;
  translate: Translate;
}

/** Turns what happens to containers into the node's status and its two outputs. */
export class ContainerView {
  readonly status: StatusLine;
  readonly #face: Face;
  readonly #belongings: Belongings;
  readonly #tracker = new StateTracker();
  readonly #logs: LogFollower | undefined;
  readonly #replicas: ReplicaFollower;
  /** Reports about containers that an action is working on. */
  readonly #held = new Map<string, { status: ContainerStatus; initial: boolean }[]>();
  #subject: string;

  constructor(
    face: Face,
    belongings: Belongings,
    { host, logs }: { host: () => Promise<Host>; logs: boolean },
  ) {
    this.#face = face;
    this.#belongings = belongings;
    this.#subject = belongings.name;
    this.status = new StatusLine((status) => face.status(status), face.translate);
    this.#replicas = new ReplicaFollower(host, (name, ready, wanted) => {
      if (name === this.#subject) this.status.replicas(ready, wanted);
    });
    if (logs) {
      this.#logs = new LogFollower(host, (name, { text, stream, time }) => {
        belongings.logged.set(name, time);
        face.send([null, { topic: name, payload: text, stream, time }]);
      });
    }
  }

  /** The container that the status is about from now on. */
  about(name: string): void {
    this.#subject = name;
  }

  /** Tells what an action led to, as the answer to `message`. */
  outcome(message: Message, name: string, { container, pull, logsSince, scale }: Outcome): void {
    if (container) {
      this.#tracker.note(container);
      if (scale && scale.replicas > 1) this.#replicas.follow(scale);
      else if (scale) this.#replicas.leave(name);
      this.#show(container);
      if (!logsSince) this.#logs?.leave(name);
      this.#follow(name, logsSince);
    } else {
      this.#tracker.remove(name);
      this.#held.delete(name);
      this.#forget(name);
    }
    this.answer(message, name, container ?? { name, removed: true }, { pull, scale });
  }

  /** Sends a message back with what it asked for. */
  answer(
    message: Message,
    name: string,
    payload: object,
    { pull, scale }: { pull?: PullResult | undefined; scale?: ScaleResult | undefined } = {},
  ): void {
    // What an earlier node pulled, or scaled, would look like this one's.
    const { pull: _pull, scale: _scale, ...kept } = message;
    const done = { ...(pull ? { pull } : {}), ...(scale ? { scale } : {}) };
    this.#face.send([{ ...kept, topic: name, payload, ...done }, null]);
  }

  /** Keeps a report back until the action on its container has told its own outcome. */
  hold(status: ContainerStatus, initial: boolean): void {
    const held = this.#held.get(status.name) ?? [];
    held.push({ status, initial });
    this.#held.set(status.name, held);
  }

  /** Tells the reports kept back that are news still. */
  tellHeld(name: string): void {
    const held = this.#held.get(name) ?? [];
    this.#held.delete(name);
    for (const { status, initial } of held) this.report(status, initial);
  }

  /** Tells a change that no action of this node caused; an `initial` state is shown, but not sent. */
  report(status: ContainerStatus, initial: boolean): void {
    const known = this.#tracker.knows(status.name);
    if (!this.#tracker.note(status)) return;
    if (status.state === 'removed') {
      this.#forget(status.name);
      this.#face.send([{ topic: status.name, payload: { name: status.name, removed: true } }, null]);
      return;
    }
    this.#show(status);
    this.#follow(status.name, initial || !status.startedAt ? new Date().toISOString() : status.startedAt);
    if (known || !initial) this.#face.send([{ topic: status.name, payload: status }, null]);
  }

  close(): void {
    this.#logs?.close();
    this.#replicas.close();
    this.status.close();
  }

  /** A container that is gone: nothing more comes of it. */
  #forget(name: string): void {
    this.#logs?.leave(name);
    this.#replicas.leave(name);
    this.#belongings.logged.delete(name);
    if (name === this.#subject) this.status.removed();
  }

  #follow(name: string, since: string | undefined): void {
    this.#logs?.follow(name, since === undefined ? undefined : (this.#belongings.logged.get(name) ?? since));
  }

  #show(status: ContainerStatus): void {
    if (status.name !== this.#subject) return;
    // How many instances are ready says more than that this one runs.
    if (status.state !== 'running' || !this.#replicas.tell(status.name)) this.status.container(status);
  }
}
