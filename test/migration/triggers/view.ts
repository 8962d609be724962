import type { FogView, ViewedContainer, ViewedHost } from '../../../lib/migration/triggers';

const GB = 1 << 30;

export function host(name: string, change: Partial<ViewedHost> = {}): ViewedHost {
  const room = { cpus: 4, freeCpus: 3, memory: 4 * GB, freeMemory: 3 * GB };
  return { name, peerId: `id-${name}`, site: name, arch: 'arm64', ...room, ...change };
}

export function container(name: string, change: Partial<ViewedContainer> = {}): ViewedContainer {
  const use = { cpus: 0.5, memory: GB / 4 };
  return { name, service: null, labels: {}, priority: 0, ...use, avoids: [], mayMove: true, ...change };
}

export function view(change: Partial<FogView> = {}): FogView {
  const others = [host('quay'), host('tower')];
  return {
    self: host('here'),
    others,
    containers: [container('box')],
    troubles: [],
    latencies: {},
    ...change,
  };
}
