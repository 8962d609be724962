/** What `npm run demo:city` starts: three sites whose operators run where they belong. */
import assert from 'node:assert/strict';
import type { OperatorStatus } from '../../lib/placement';
import { garuaJson } from '../support/garua';
import { temporaryFolder } from '../support/temporary';
import { type Demo, startDemo } from './demo-process';
import { mountsBelow, processesWith } from './tools';

describe('faults: the city', () => {
  const folder = temporaryFolder();
  let demo: Demo | undefined;
  afterEach(() => demo?.child.kill('SIGKILL'));

  it('places its operators, shows a noise map, and leaves nothing running after Ctrl+C', async function () {
    this.timeout(240_000);
    const state = folder.path;
    demo = startDemo('city.mjs', { GARUA_CITY_STATE: state });
    await demo.says(/Ctrl\+C stops everything/);
    const operators = await garuaJson<OperatorStatus[]>(`${state}/station/data`, 'operators');
    const siteOf = (name: string) => operators.find((one) => one.name === name)?.instances[0]?.site;
    assert.deepEqual([...new Set(operators.map((one) => one.state))], ['running'], demo.output());
    assert.deepEqual(
      [siteOf('camera'), siteOf('pump'), siteOf('phones east')],
      ['Quay', 'Market', 'Station'],
    );

    const map = /A noise map\s+(\S+)/.exec(demo.output())![1]!;
    for (let page = ''; !/Harbour/.test(page); page = await (await fetch(map)).text()) {
      assert.equal(demo.child.exitCode, null, demo.output());
    }

    demo.child.kill('SIGINT');
    assert.equal(await demo.ended, 0, demo.output());
    assert.deepEqual(mountsBelow(state), []);
    assert.deepEqual(processesWith(state), []);
  });
});
