import type { Host } from '../../lib/host';

/** How many sites beside this one have a host, and how many of them one that is there. */
export async function reach(host: Pick<Host, 'sites'>): Promise<{ others: number; up: number }> {
  const isSelf = ({ rttMs, state }: { rttMs: number | null; state: string }) => rttMs === 0 && state === 'up';
  const others = (await host.sites()).filter(({ hosts }) => !hosts.some(isSelf));
  return {
    others: others.length,
    up: others.filter(({ hosts }) => hosts.some(({ state }) => state === 'up')).length,
  };
}

/** Messages of a topic that wait on this host for hosts that are not there. */
export async function cutOff(
  host: Pick<Host, 'queues' | 'sites'>,
  topic: string,
): Promise<{ cutOff: number; waiting: number }> {
  const queues = (await host.queues()).filter((queue) => queue.topic === topic && queue.to !== queue.from);
  const there = new Set(
    (await host.sites()).flatMap(({ hosts }) =>
      hosts.filter(({ state }) => state === 'up').map(({ peerId }) => peerId),
    ),
  );
  const sum = (list: typeof queues) => list.reduce((all, { waiting }) => all + waiting, 0);
  return { waiting: sum(queues), cutOff: sum(queues.filter(({ peerId }) => !there.has(peerId))) };
}
