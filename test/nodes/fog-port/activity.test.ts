import assert from 'node:assert/strict';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { NodeAPI } from 'node-red';
import { TabActivity } from '../../../nodes/fog-port';

interface Hooks {
  trigger(name: string, event: object, done: (error?: unknown) => void): void;
  has(name: string): boolean;
}

// Those of Node-RED itself.
const { hooks } = require('@node-red/util') as { hooks: Hooks };

const tell = (name: string, event: object) => hooks.trigger(name, event, (error) => assert.ifError(error));

/** A node of a tab, and what Node-RED tells of a message to it. */
function node(id: string, z: string, { says = true } = {}) {
  const own = { id, z, _expectedDoneCount: says ? 1 : 0 };
  const destination = { id, node: own };
  return {
    sent: () => tell('preDeliver', { destination }),
    received: () => tell('onReceive', { destination }),
    returned: () => tell('postReceive', { destination }),
    done: () => tell('onComplete', { node: destination }),
  };
}

describe('whether messages are under way in a tab', () => {
  let activity: TabActivity;
  let idle = 0;
  beforeEach(() => {
    idle = 0;
    activity = new TabActivity({ hooks } as unknown as NodeAPI, 'tab', () => {
      idle += 1;
    });
  });
  afterEach(() => activity.close());

  it('is so from when one is sent until its node is done, after which others may have been sent', async () => {
    const [first, second] = [node('first', 'tab'), node('second', 'tab')];
    first.sent();
    assert.equal(activity.isIdle, false);
    first.received();
    second.sent();
    first.returned();
    first.done();
    assert.equal(activity.isIdle, false);
    second.received();
    second.returned();
    await nextTurn();
    assert.equal(idle, 0);
    second.done();
    assert.equal(activity.isIdle, true);
    await nextTurn();
    assert.equal(idle, 1);
  });

  it('ends with the return of a node that never says when it is done', () => {
    const silent = node('silent', 'tab', { says: false });
    silent.sent();
    silent.received();
    assert.equal(activity.isIdle, false);
    silent.returned();
    assert.equal(activity.isIdle, true);
  });

  it('counts what comes without having been sent, and nothing twice that is said twice', () => {
    const linked = node('linked', 'tab');
    linked.received();
    linked.returned();
    assert.equal(activity.isIdle, false);
    linked.done();
    linked.done();
    assert.equal(activity.isIdle, true);
  });

  it('leaves other tabs alone, and the hooks when it ends', () => {
    node('other', 'elsewhere').sent();
    assert.equal(activity.isIdle, true);
    activity.close();
    assert.equal(hooks.has('preDeliver'), false);
  });

  it('says when nothing came of a message at all', async () => {
    activity.check();
    activity.check();
    await nextTurn();
    await nextTurn();
    assert.equal(idle, 1);
  });
});
