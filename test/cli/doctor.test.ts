import assert from 'node:assert/strict';
import type { Examination } from '../../lib';
import { garua, garuaJson, spawnGarua } from '../support/garua';
import { temporaryFolder } from '../support/temporary';

describe('garua doctor', () => {
  const folder = temporaryFolder();

  it('gives a document with what, why and a fix for each thing that is not in order', async () => {
    const { checks } = await garuaJson<Examination>(folder.join('data'), 'doctor');
    assert.ok(checks.length > 20);
    for (const { id, status, detail, why, fix } of checks) {
      assert.match(status, /^(ok|warn|fail)$/);
      assert.ok(id && detail && why, id);
      assert.equal(fix !== undefined, status !== 'ok', id);
    }
  });

  it('prints columns that fit, with the reason and the fix under what is not in order', async () => {
    const { status, stdout } = await garua(folder.join('data'), 'doctor');
    assert.equal(status, 0);
    const lines = stdout.split('\n');
    for (const line of lines) assert.ok(line.length <= 100, line);
    assert.ok(
      lines.some((line) => /^ {2}ok {4}runc {16}\//.test(line)),
      stdout,
    );
    assert.match(stdout, /\d+ ok, \d+ to look at, \d+ failing\n$/);
    if (/^ {2}warn/m.test(stdout)) assert.match(stdout, /^ {28}Why: .*[\s\S]*^ {28}Fix: /m);
  });

  it('has nothing to undo where nothing was changed', async () => {
    const { status, stdout } = await garua(folder.join('data'), 'doctor', '--undo');
    assert.deepEqual([status, stdout], [0, 'There is nothing to undo.\n']);
  });

  it('shows the view of the daemon', async () => {
    const data = folder.join('daemon');
    const socket = folder.join('beside.sock');
    const { child, result } = spawnGarua(data, ['host', '--name', 'quay', '--socket', socket]);
    await new Promise<void>((resolve) => {
      child.stderr!.on('data', (text) => String(text).includes('host quay serves') && resolve());
    });
    const { checks } = await garuaJson<Examination>(data, 'doctor', '--socket', socket);
    assert.match(checks.find(({ id }) => id === 'space')!.detail, new RegExp(data));
    child.kill('SIGTERM');
    assert.equal((await result).status, 0);
    const { status, stderr } = await garua(data, 'doctor', '--socket', socket);
    assert.equal(status, 1);
    assert.match(stderr, /ERR_CONTROL_UNREACHABLE/);
  });
});
