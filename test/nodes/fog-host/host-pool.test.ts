import { deepEqual, equal, rejects } from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import type { OpenHostOptions } from '../../../lib/control';
import { HostPool } from '../../../nodes/fog-host/host-pool';
import { MemoryHost } from '../memory-host';

function pool() {
  const opened: MemoryHost[] = [];
  const asked: OpenHostOptions[] = [];
  const open = async (options: OpenHostOptions = {}) => {
    asked.push(options);
    const host = new MemoryHost();
    opened.push(host);
    return host.asHost();
  };
  return { pool: new HostPool(open), opened, asked };
}

describe('HostPool', () => {
  it('shares one host per data directory and closes it after the last release', async () => {
    const { pool: hosts, opened } = pool();
    const [one, two] = [hosts.acquire({ dataDirectory: '/a' }), hosts.acquire({ dataDirectory: '/a/' })];
    const other = hosts.acquire({ dataDirectory: '/b' });
    equal(await one.host(), await two.host());
    equal(one.key, two.key);
    equal((await other.host()) === (await one.host()), false);
    await one.release();
    await one.release();
    equal(opened[0]!.closed, false);
    await two.release();
    equal(opened[0]!.closed, true);
    equal(opened[1]!.closed, false);
    await other.release();
  });

  it('opens it anew once the last one is closed', async () => {
    const { pool: hosts, opened } = pool();
    const first = hosts.acquire({ socket: '/s' });
    await first.host();
    const released = first.release();
    const second = hosts.acquire({ socket: '/s' });
    await second.host();
    equal(opened[0]!.closed, true);
    equal(opened.length, 2);
    await released;
    equal(opened[1]!.closed, false);
    await second.release();
  });

  it('opens nothing that nobody asks for, and tries again after a failure', async () => {
    let attempts = 0;
    const hosts = new HostPool(async () => {
      attempts += 1;
      if (attempts === 1) throw new Error('not yet');
      return new MemoryHost().asHost();
    });
    const lease = hosts.acquire({ dataDirectory: '/a' });
    equal(attempts, 0);
    await rejects(lease.host(), /not yet/);
    await lease.host();
    equal(attempts, 2);
    await lease.release();
  });

  it('tells each listener what is there and what changes', async () => {
    const { pool: hosts, opened } = pool();
    const lease = hosts.acquire({ dataDirectory: '/a' });
    await lease.host();
    const [host] = opened;
    host!.change('old', { state: 'stopped' });
    const heard: string[] = [];
    const listen = (who: string) =>
      lease.onContainer(({ name, state }, initial) => heard.push(`${who} ${name} ${state} ${initial}`));
    const stopListening = listen('first');
    await delay(20);
    listen('second');
    await delay(20);
    host!.change('new', { state: 'running' });
    await delay(20);
    stopListening();
    host!.change('new', { state: 'stopped' });
    await delay(20);
    deepEqual(heard, [
      'first old stopped true',
      'second old stopped true',
      'first new running false',
      'second new running false',
      'second new stopped false',
    ]);
    await lease.release();
    equal(host!.events.listenerCount('change'), 0);
  });
});
