import { equal, rejects } from 'node:assert/strict';
import { Backlog } from '../../../nodes/feedback';

describe('the backlog of a node', () => {
  const FULL = { code: 'ERR_BACKLOG_FULL' };
  const nothing = async () => {};

  it('holds so many messages, and more when some are done', async () => {
    const backlog = new Backlog({ messages: 2 });
    const dones: (() => void)[] = [];
    const endless = () => backlog.hold(() => new Promise<void>((done) => dones.push(done)));
    const all = [endless(), endless()];
    await rejects(backlog.hold(nothing), FULL);
    dones[0]!();
    await all[0];
    await backlog.hold(nothing);
    dones[1]!();
    await all[1];
  });

  it('holds so many bytes, and gives them back also where the work fails', async () => {
    const backlog = new Backlog({ messages: 10, bytes: 100 });
    const take = (bytes: number) => backlog.hold(async ({ grow }) => grow(bytes));
    await rejects(take(101), FULL);
    await backlog.hold(async ({ grow }) => {
      grow(60);
      await rejects(take(41), FULL);
      await take(40);
    });
    const broken = backlog.hold(async ({ grow }) => {
      grow(100);
      throw new Error('broken');
    });
    await rejects(broken, /broken/);
    equal(await take(100), undefined);
  });
});
