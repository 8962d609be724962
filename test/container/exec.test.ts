import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import type { ExecOptions, ExecOutput } from '../../lib/container';
import { ContainerFixture, eventually } from './fixture';

const LOOP = ['sh', '-c', 'while :; do sleep 0.05; done'];

describe('container: exec', () => {
  let fixture: ContainerFixture;
  beforeEach(async () => {
    fixture = await ContainerFixture.create();
  });
  afterEach(() => fixture.destroy());

  async function exec(command: string[], options: ExecOptions = {}) {
    const result = { stdout: '', stderr: '', exitCode: undefined as number | undefined };
    for await (const piece of fixture.engine.exec('box', command, options)) {
      if ('exitCode' in piece) result.exitCode = piece.exitCode;
      else result[piece.stream] += piece.text;
    }
    return result;
  }
  const shell = (script: string, options?: ExecOptions) => exec(['sh', '-c', script], options);

  /** Processes of this machine whose command line holds a word. */
  function processesWith(word: string): string[] {
    return readdirSync('/proc').filter((pid) => {
      if (!/^\d+$/.test(pid) || Number(pid) === process.pid) return false;
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').includes(word);
      } catch {
        return false;
      }
    });
  }

  it('gives both streams and the status, and leaves nothing behind', async () => {
    await fixture.deploy({ command: LOOP, env: { PLACE: 'quay' }, workingDirectory: '/tmp' });
    const { stdout, stderr, exitCode } = await shell('echo "$PLACE $(pwd) $(hostname)"; echo ü >&2; exit 7');
    assert.deepEqual({ stdout, stderr, exitCode }, { stdout: 'quay /tmp box\n', stderr: 'ü\n', exitCode: 7 });
    assert.equal((await shell('kill -9 $$')).exitCode, 137);
    const [id] = await readdir(fixture.directory.join('containers'));
    const files = await readdir(fixture.directory.join('containers', id!));
    assert.deepEqual(
      files.filter((file) => file.startsWith('exec-')),
      [],
    );
  });

  it('takes variables, a user by name, a folder and input', async () => {
    await fixture.deploy({ command: LOOP, env: { A: 'container', B: 'kept' } });
    const options = { env: { A: 'exec=x' }, user: 'web', workingDirectory: '/etc', input: 'hello\nworld' };
    const { stdout } = await shell('echo $A $B $HOME; id -u; id -g; id -G; pwd; cat', options);
    assert.deepEqual(stdout.split('\n'), [
      'exec=x kept /srv',
      '1000',
      '1001',
      '1001 997',
      '/etc',
      'hello',
      'world',
    ]);
    assert.equal((await exec(['cat'])).stdout, '');
    // A command that does not read what it is given.
    assert.equal((await exec(['true'], { input: 'x'.repeat(1 << 20) })).exitCode, 0);
  });

  it('has no more rights than the container, and its limits', async () => {
    await fixture.deploy({ command: LOOP, memory: 16 * 2 ** 20, pids: 20 });
    const { stdout } = await shell('grep -E "NoNewPrivs|Seccomp:|CapEff" /proc/self/status /proc/1/status');
    const [own, first] = ['self', '1'].map((pid) =>
      stdout
        .split('\n')
        .filter((line) => line.startsWith(`/proc/${pid}/`))
        .map((line) => line.split(':').slice(1).join(':')),
    );
    assert.deepEqual(own, first);
    assert.equal(own!.length, 3);
    assert.equal((await exec(['dd', 'if=/dev/zero', 'of=/dev/null', 'bs=64M', 'count=1'])).exitCode, 137);
    const many = await shell('i=0; while [ $i -lt 40 ]; do sleep 0.5 & i=$((i+1)); done; echo all');
    assert.match(many.stderr, /can't fork|Resource temporarily unavailable/);
  });

  it('says what cannot be run', async () => {
    await fixture.deploy({ command: LOOP });
    await assert.rejects(exec(['no-such-program']), {
      code: 'ERR_CONTAINER_COMMAND_NOT_FOUND',
      message: /no-such-program/,
    });
    await assert.rejects(exec(['/etc']), { code: 'ERR_CONTAINER_COMMAND_NOT_EXECUTABLE' });
    await assert.rejects(exec(['true'], { workingDirectory: '/nowhere' }), {
      code: 'ERR_CONTAINER_EXEC_REFUSED',
    });
    await assert.rejects(exec(['true'], { user: 'nobody-here' }), { code: 'ERR_CONTAINER_USER_NOT_FOUND' });
    await assert.rejects(exec([]), { code: 'ERR_INVALID_ARGUMENT', message: /command/ });
    await assert.rejects(exec(['true'], { env: { 'A=B': '' } }), {
      code: 'ERR_INVALID_ARGUMENT',
      message: /env/,
    });
    // What a program itself says and how it ends is its own affair.
    assert.equal((await shell('echo "executable file not found" >&2; exit 255')).exitCode, 255);
    await fixture.engine.stop('box', { graceMs: 0 });
    await assert.rejects(exec(['true']), { code: 'ERR_CONTAINER_NOT_RUNNING' });
    await fixture.engine.remove('box');
    await assert.rejects(exec(['true']), { code: 'ERR_CONTAINER_NOT_FOUND' });
  });

  it('says that the container has no room for one more process', async () => {
    // The shell and three more: all that it may have.
    const script = 'for i in 1 2 3; do sleep 1000 & done; echo full; wait';
    await fixture.deploy({ command: ['sh', '-c', script], pids: 4 });
    for await (const { text } of fixture.engine.logs('box', { follow: true })) if (text === 'full') break;
    await assert.rejects(exec(['true']), {
      code: 'ERR_CONTAINER_EXEC_REFUSED',
      message: /its limit of 4 processes/,
    });
  });

  it('kills the command and all that it has started when the signal fires', async () => {
    await fixture.deploy({ command: LOOP });
    const end = new AbortController();
    const pieces: ExecOutput[] = [];
    const script = '/bin/sleep 987654 & echo up; /bin/sleep 987654';
    for await (const piece of fixture.engine.exec('box', ['sh', '-c', script], { signal: end.signal })) {
      pieces.push(piece);
      await eventually(async () => processesWith('987654').length === 2);
      end.abort();
    }
    assert.deepEqual(pieces, [{ stream: 'stdout', text: 'up\n' }]);
    assert.deepEqual(processesWith('987654'), []);
    assert.equal((await fixture.engine.get('box')).state, 'running');
  });

  it('gives at once what a command says that then is silent', async () => {
    await fixture.deploy({ command: LOOP });
    for (let time = 0; time < 5; time += 1) {
      for await (const piece of fixture.engine.exec('box', ['sh', '-c', 'echo up; sleep 60'])) {
        assert.deepEqual(piece, { stream: 'stdout', text: 'up\n' });
        break;
      }
    }
  });

  it('kills it when the reader stops, and when the engine closes', async () => {
    await fixture.deploy({ command: LOOP });
    for await (const _piece of fixture.engine.exec('box', [
      'sh',
      '-c',
      '/bin/sleep 876543 & echo up; wait',
    ])) {
      await eventually(async () => processesWith('876543').length > 0);
      break;
    }
    assert.deepEqual(processesWith('876543'), []);
    const reading = shell('/bin/sleep 765432');
    await eventually(async () => processesWith('765432').length > 0);
    await fixture.close();
    assert.equal((await reading).exitCode, undefined);
    await eventually(async () => processesWith('765432').length === 0);
    await fixture.open();
    assert.equal((await fixture.engine.get('box')).state, 'running');
  });

  it('ends with its container', async () => {
    await fixture.deploy({ command: LOOP });
    const reading = shell('echo up; /bin/sleep 654321');
    await eventually(async () => processesWith('654321').length > 0);
    await fixture.engine.stop('box', { graceMs: 0 });
    const { stdout, exitCode } = await reading;
    assert.deepEqual([stdout, exitCode], ['up\n', 137]);
  });

  it('ends once nobody holds its output any more, as with ssh', async () => {
    await fixture.deploy({ command: LOOP });
    const { stdout, exitCode } = await shell('{ sleep 0.3; echo late; } & echo done; exit 3');
    assert.deepEqual([stdout, exitCode], ['done\nlate\n', 3]);
    assert.equal((await shell('sleep 60 >/dev/null 2>&1 & echo done')).stdout, 'done\n');
  });

  it('makes a fast program wait for a slow reader, and loses nothing', async () => {
    await fixture.deploy({ command: LOOP });
    let bytes = 0;
    let pieces = 0;
    for await (const piece of fixture.engine.exec('box', ['sh', '-c', 'yes | head -c 20000000'])) {
      if ('exitCode' in piece) assert.equal(piece.exitCode, 0);
      else bytes += piece.text.length;
      pieces += 1;
      if (pieces % 50 === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    }
    assert.equal(bytes, 20_000_000);
  });
});
