/** What `npm start` starts, from its first word to Ctrl+C. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { garuaJson } from '../support/garua';
import { temporaryFolder } from '../support/temporary';
import { type Demo, startDemo } from './demo-process';
import { mountsBelow, processesWith } from './tools';

describe('faults: the demo', () => {
  const folder = temporaryFolder();
  let demo: Demo | undefined;
  afterEach(() => demo?.child.kill('SIGKILL'));

  it('deploys its container, says where everything is, and leaves nothing running after Ctrl+C', async () => {
    const state = folder.path;
    const data = join(state, 'data');
    demo = startDemo('start.mjs', { GARUA_DEMO_STATE: state });
    await demo.says(/is running \(process \d+/);
    const page = /Its page\s+(\S+)/.exec(demo.output())![1]!;
    const editor = /Editor\s+(\S+)/.exec(demo.output())![1]!;

    assert.match(await (await fetch(page)).text(), /<h1>city-sensor<\/h1>/);
    assert.ok((await fetch(`${editor}flows`)).ok);
    const [container] = await garuaJson<{ name: string; state: string }[]>(data, 'ps');
    assert.deepEqual([container!.name, container!.state], ['city-sensor', 'running']);

    const second = startDemo('start.mjs', { GARUA_DEMO_STATE: state });
    assert.equal(await second.ended, 1);
    assert.match(second.output(), /ERR_DEMO_RUNS_ALREADY/);

    demo.child.kill('SIGINT');
    assert.equal(await demo.ended, 0, demo.output());
    assert.deepEqual(await garuaJson(data, 'ps'), []);
    assert.deepEqual(mountsBelow(state), []);
    assert.deepEqual(processesWith(state), []);
  });
});
