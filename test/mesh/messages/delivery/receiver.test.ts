import { equal, ok, rejects } from 'node:assert/strict';
import { frame } from '../../../../lib/mesh/messages/delivery/frames';
import { temporaryFolder } from '../../../support/temporary';
import { eventually } from '../../support/mesh-process';
import { Listener, type Member, openMember, subscribers } from '../support/fog';

const BROKEN = { code: 'ERR_MESH_STREAM_BROKEN' };

describe('a host that takes messages in from a member that breaks the rules', () => {
  const folder = temporaryFolder();
  let [host, rogue] = [] as unknown as [Member, Member];

  before(async () => {
    [host, rogue] = await Promise.all([openMember(folder.path, 'host'), openMember(folder.path, 'rogue')]);
    await host.mesh.createFog();
    await rogue.mesh.join(await host.mesh.invite());
  });
  after(() => Promise.all([host, rogue].map((member) => member.close())));

  const head = (facts: object) => ({
    ...{ topic: 'door', host: 'rogue', site: 'rogue-site', time: 1, retain: false, retained: false },
    ...{ subscriber: 'slow', queue: 'made-up', sequence: 1 },
    ...facts,
  });
  const waiting = async () => (await host.messages.queues()).find(({ topic }) => topic === 'door')!.waiting;

  it('stores nothing of what is malformed, and ends the stream', async () => {
    const listener = new Listener(host, 'slow').open('door', { acknowledge: false });
    await subscribers(host, 'door', 1);
    for (const wrong of [{ time: 9e15 }, { sequence: 0.5 }, { topic: 7 }]) {
      const stream = await rogue.mesh.openStream('host', 'messages');
      await stream.write(Buffer.concat(frame(head(wrong), Buffer.from('x'))));
      await rejects(async () => {
        for await (const _ of stream.read());
      }, BROKEN);
    }
    equal(await waiting(), 0);
    await rejects(rogue.mesh.call('host', 'messages.announce', { host: 'rogue', site: 's', version: 'x' }), {
      code: 'ERR_MESSAGES_MALFORMED',
    });
    await listener.close();
  });

  it('lets one that does not wait for acknowledgements fill no more than a queue', async () => {
    const listener = new Listener(host, 'slow').open('door', { acknowledge: false });
    const stream = await rogue.mesh.openStream('host', 'messages');
    const flood = async () => {
      for (let sequence = 1; sequence <= 20_000; sequence += 100) {
        const frames = Array.from({ length: 100 }, (_, at) =>
          frame(head({ sequence: sequence + at }), Buffer.from('x')),
        );
        await stream.write(Buffer.concat(frames.flat()));
        // As an honest sender at least hears them.
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
    };
    const reading = (async () => {
      for await (const _ of stream.read());
    })();
    await Promise.all([rejects(flood, BROKEN), rejects(reading, BROKEN)]);
    await eventually(async () => (await waiting()) <= 4_000 + 2 * 256, true);
    ok((await waiting()) > 0);
    await listener.close();
  });
});
