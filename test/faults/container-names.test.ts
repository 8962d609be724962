import assert from 'node:assert/strict';
import { hostLines, withSection } from '../../lib/container/network/names';
import { ContainerFixture, eventually } from '../container/fixture';

const LOOP = 'trap "exit 0" TERM; while :; do sleep 0.05; done';

describe('container: names on the bridge', () => {
  let fixture: ContainerFixture;
  beforeEach(async () => {
    fixture = await ContainerFixture.create();
  });
  afterEach(() => fixture.destroy());

  const serve = (name: string, more: Record<string, unknown> = {}) =>
    fixture.deploy({ name, network: 'bridge', command: ['sh', '-c', LOOP], ...more });
  const addressOf = async (name: string) => (await fixture.engine.get(name)).address;

  /** Prints its /etc/hosts again and again. */
  async function watcher(name = 'watcher') {
    const script = 'trap "exit 0" TERM; while :; do echo BEGIN; cat /etc/hosts; echo END; sleep 0.05; done';
    await serve(name, { command: ['sh', '-c', script] });
  }

  /** The container's /etc/hosts as it sees it now: name to address. */
  async function seenBy(name: string): Promise<Map<string, string>> {
    const lines: string[] = [];
    for await (const { text } of fixture.engine.logs(name, { follow: true, tail: 0 })) {
      if (text === 'BEGIN') lines.length = 0;
      else if (text === 'END' && lines.length > 0) break;
      else lines.push(text);
    }
    const rows = lines.map((line) => line.split(/\s+/)).filter(([word]) => word && !word.startsWith('#'));
    return new Map(rows.flatMap(([address, ...names]) => names.map((host) => [host, address!])));
  }

  it('finds others by name, host name and service, those that come later too, until they go', async () => {
    await watcher();
    await serve('db', { hostname: 'store.local', service: 'data' });
    const address = (await addressOf('db'))!;
    assert.match(address, /^10\.86\./);
    await eventually(async () => (await seenBy('watcher')).get('db') === address);
    const seen = await seenBy('watcher');
    assert.equal(seen.get('store.local'), address);
    assert.equal(seen.get('data'), address);
    assert.equal(seen.get('watcher'), await addressOf('watcher'));
    assert.equal(seen.get('localhost'), '::1');
    const script =
      'for name in db store.local data; do busybox ping -c 1 -W 2 $name >/dev/null && echo $name; done';
    assert.deepEqual((await fixture.run(script, { name: 'client', network: 'bridge' })).stdout, [
      'db',
      'store.local',
      'data',
    ]);
    await fixture.engine.stop('db');
    await eventually(async () => !(await seenBy('watcher')).has('db'));
    await fixture.engine.start('db');
    await eventually(async () => (await seenBy('watcher')).get('data') === (await addressOf('db')));
  });

  it('gives a name to the replacement', async () => {
    await watcher();
    await serve('web');
    const before = await addressOf('web');
    await serve('web', { env: { VERSION: '2' } });
    const after = await addressOf('web');
    assert.notEqual(after, before);
    await eventually(async () => (await seenBy('watcher')).get('web') === after);
  });

  it('knows only the containers of its own data directory', async () => {
    const other = await ContainerFixture.create();
    try {
      await other.deploy({ name: 'stranger', network: 'bridge', command: ['sleep', '60'] });
      await watcher();
      assert.ok(!(await seenBy('watcher')).has('stranger'));
    } finally {
      await other.destroy();
    }
  });

  it('is kept by the next owner, for containers that ran before it', async () => {
    await watcher();
    await serve('gone');
    await fixture.close();
    const { pid } = await fixture.open().then((engine) => engine.get('gone'));
    await serve('late');
    await eventually(async () => (await seenBy('watcher')).get('late') === (await addressOf('late')));
    assert.ok((await seenBy('watcher')).has('gone'));
    // Ends while nobody looks.
    await fixture.close();
    process.kill(pid!, 'SIGKILL');
    await fixture.open();
    await eventually(async () => !(await seenBy('watcher')).has('gone'));
    assert.ok((await seenBy('watcher')).has('late'));
  });

  it('leaves a file alone that a container has blown up, and gives it a new one at the next start', async () => {
    const script = 'wc -c < /etc/hosts; busybox truncate -s 3G /etc/hosts; echo done';
    await serve('box', { command: ['sh', '-c', `${script}; ${LOOP}`] });
    for await (const { text } of fixture.engine.logs('box', { follow: true })) if (text === 'done') break;
    // Those that come later are not kept from it.
    const client = { name: 'client', network: 'bridge' as const };
    assert.deepEqual((await fixture.run('grep -c client /etc/hosts', client)).stdout, ['1']);
    await fixture.engine.stop('box');
    await fixture.engine.start('box');
    const sizes: number[] = [];
    for await (const { text } of fixture.engine.logs('box', { follow: true })) {
      if (text !== 'done') sizes.push(Number(text));
      else if (sizes.length === 2) break;
    }
    assert.ok(
      sizes.every((size) => size < 2_000),
      sizes.join(),
    );
  });

  it('writes between its marks only, and leaves a name with the older of two that have it', () => {
    const attachment = (id: string, name: string, address: string, service?: string) => ({
      ...{ id, folder: `/c/${id}`, names: { name, hostname: name, service }, ports: [], since: 0, address },
      process: { pid: 1, startTicks: 1, bootId: '' },
      hostNamespace: '',
    });
    const [old, next, other] = [
      attachment('1', 'web', '10.0.0.1'),
      attachment('2', 'web', '10.0.0.2'),
      attachment('3', 'db', '10.0.0.3', 'data'),
    ];
    const all = [old!, next!, other!];
    assert.deepEqual(hostLines(other!, all), ['10.0.0.3\tdb data', '10.0.0.1\tweb']);
    assert.deepEqual(hostLines(next!, all), ['10.0.0.2\tweb', '10.0.0.3\tdb data']);
    const first = withSection('127.0.0.1\tlocalhost\n', ['10.0.0.1\ta', '10.0.0.2\tb']);
    assert.match(first, /^127\.0\.0\.1\tlocalhost\n#.*\n10\.0\.0\.1\ta\n10\.0\.0\.2\tb\n#.*\n$/);
    assert.equal(withSection(first, ['10.0.0.1\ta', '10.0.0.2\tb']), first);
    const edited = withSection(`${first}1.2.3.4 mine\n`, ['10.0.0.9\tz']);
    assert.match(edited, /localhost\n#.*\n10\.0\.0\.9\tz\n#.*\n1\.2\.3\.4 mine\n$/);
  });
});
