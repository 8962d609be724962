import type { Mesh, Messages, Roaming } from '../../mesh';
import type { FogView, OperatorRuntime, ViewedHost } from '../../placement';

/** The fog as the owner of flows sees it. */
export class MeshView implements FogView {
  readonly self: FogView['self'];
  readonly #mesh: Mesh;
  readonly #messages: Messages & Roaming;
  readonly runtime: (peerId: string) => OperatorRuntime;

  constructor(mesh: Mesh, messages: Messages & Roaming, runtime: (peerId: string) => OperatorRuntime) {
    const { peerId, name, site } = mesh;
    this.self = { peerId, name, site };
    this.#mesh = mesh;
    this.#messages = messages;
    this.runtime = runtime;
  }

  /** Without a fog this host is all there is. */
  hosts(): ViewedHost[] {
    const hosts = this.#mesh.hosts();
    if (hosts.length === 0) return [{ ...this.self, isUp: true, roundTripMs: 0 }];
    return hosts.map(({ peerId, name, site, state, self, rttMs }) => ({
      ...{ peerId, name, site },
      isUp: self || state !== 'down',
      roundTripMs: self ? 0 : rttMs,
    }));
  }

  onUp(listener: () => void): () => void {
    const stop = new AbortController();
    void (async () => {
      for await (const { type } of this.#mesh.watch({ signal: stop.signal })) if (type === 'up') listener();
    })().catch(() => {});
    return () => stop.abort();
  }

  async sitesHearing(topic: string): Promise<string[]> {
    const queues = await this.#messages.queues();
    return [...new Set(queues.filter((queue) => queue.topic === topic).map(({ site }) => site))];
  }

  async expectSubscriber(subscriber: string): Promise<void> {
    await this.#messages.expectSubscriber(subscriber, subscriber);
  }

  async forgetSubscriber(subscriber: string): Promise<void> {
    await this.#messages.forgetQueue({ subscriber });
  }
}
