import { deepEqual, equal, match } from 'node:assert/strict';
import { openHost } from '../../lib/control';
import type { Host } from '../../lib/host';
import { eventually } from '../mesh/support/mesh-process';
import { garua, garuaJson } from '../support/garua';
import { temporaryFolder } from '../support/temporary';

describe('garua messages', () => {
  const folder = temporaryFolder();
  const data = folder.join('data');
  let host: Host;

  before(async () => {
    host = await openHost({ dataDirectory: data, name: 'attic', site: 'home', supervise: true });
    const reader = host.subscribe('weather', { subscriber: 'roof' })[Symbol.asyncIterator]();
    const first = reader.next();
    await eventually(async () => (await host.queues()).length, 1);
    await host.publish('weather', ['sun', 'rain', 'snow'], { maximumMessages: 2 });
    await first;
    await reader.return?.();
  });
  after(() => host.close());

  it('lists what waits, and for whom', async () => {
    const [queue, ...more] = await garuaJson<Record<string, unknown>[]>(data, 'messages');
    deepEqual(more, []);
    const { topic, from, to, subscriber, waiting, dropped, oldest } = queue!;
    deepEqual([topic, from, to, subscriber, waiting, dropped], ['weather', 'attic', 'attic', 'roof', 2, 1]);
    match(String(oldest), /^\d{4}-/);
    match(
      (await garua(data, 'messages')).stdout,
      /TOPIC.*DROPPED.*\nweather +attic +attic +roof +2 +1 .*ago/,
    );
  });

  it('forgets what is named, and nothing else', async () => {
    equal((await garua(data, 'messages', 'forget')).status, 2);
    equal((await garua(data, 'messages', 'forgive')).status, 2);
    equal((await garua(data, 'messages', '--topic', 'weather')).status, 2);
    deepEqual(await garuaJson(data, 'messages', 'forget', '--topic', 'news'), []);
    const { stdout } = await garua(data, 'messages', 'forget', '--topic', 'weather');
    match(stdout, /weather for roof on attic forgotten, 2 messages dropped/);
    deepEqual(await garuaJson(data, 'messages'), []);
  });
});
