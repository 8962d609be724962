import { deepEqual, equal, rejects } from 'node:assert/strict';
import { OpenParts } from '../../lib/base';

describe('parts that are open', () => {
  it('are closed in the reverse order, each once, also where one fails', async () => {
    const closed: string[] = [];
    const opened = new OpenParts();
    const part = (name: string, fails = false) => ({
      async close() {
        closed.push(name);
        if (fails) throw new Error(name);
      },
    });
    const first = part('first');
    equal(opened.add(first), first);
    opened.add(part('second', true));
    opened.add(part('third', true));
    await rejects(opened.close(), /third/);
    deepEqual(closed, ['third', 'second', 'first']);
    await opened.close();
    equal(closed.length, 3);
  });
});
