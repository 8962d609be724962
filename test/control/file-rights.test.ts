import assert from 'node:assert/strict';
import { chmod, chown, readFile, symlink, writeFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { mknod } from '../../lib/base';
import { ControlServer } from '../../lib/control/server';
import { LocalHost } from '../../lib/host';
import { temporaryFolder } from '../support/temporary';

const NOBODY = 65534;
const FIFO = 0o010600;

describe('control socket: files that callers name', () => {
  const folder = temporaryFolder();
  const socketPath = folder.join('control.sock');
  let host: LocalHost;
  let server: ControlServer;

  before(async () => {
    host = await LocalHost.open({ dataDirectory: folder.join('data') });
    server = await ControlServer.listen(host, socketPath);
    // As for a member of the group.
    await chmod(folder.path, 0o755);
    await chmod(socketPath, 0o666);
  });
  after(async () => {
    await server.close();
    await host.close();
  });

  /** What the host answers to a program that speaks the protocol by itself. */
  async function ask(user: number, method: string, ...parameters: unknown[]) {
    let socket: Socket;
    process.seteuid!(user);
    try {
      socket = connect(socketPath);
    } finally {
      process.seteuid!(0);
    }
    socket.write(`${JSON.stringify({ method, arguments: parameters })}\n`);
    let answer = '';
    for await (const text of socket.setEncoding('utf8')) answer += text;
    const last = JSON.parse(answer.trim().split('\n').at(-1)!);
    return last as { result?: { cid: string }; error?: { code: string } };
  }

  async function file(name: string, owner: number, content = 'content of its own\n'): Promise<string> {
    const path = folder.join(name);
    await writeFile(path, content, { mode: 0o600 });
    await chown(path, owner, owner);
    return path;
  }

  it('are opened when they belong to the caller', async () => {
    const source = await file('own', NOBODY);
    const { result } = await ask(NOBODY, 'put', source);
    const target = await file('own-target', NOBODY, '');
    assert.ok((await ask(NOBODY, 'get', result!.cid, target)).result);
    assert.equal(await readFile(target, 'utf8'), 'content of its own\n');
  });

  it('are not when they belong to somebody else, whatever the caller says', async () => {
    const secret = await file('secret', 0);
    const link = folder.join('link');
    await symlink(secret, link);
    const { result } = await ask(0, 'put', secret);
    for (const path of [secret, link]) {
      assert.equal((await ask(NOBODY, 'put', path)).error?.code, 'ERR_PERMISSION', path);
      assert.equal((await ask(NOBODY, 'put', path, { callerUser: 0 })).error?.code, 'ERR_PERMISSION', path);
      assert.equal((await ask(NOBODY, 'get', result!.cid, path)).error?.code, 'ERR_PERMISSION', path);
    }
    assert.equal(await readFile(secret, 'utf8'), 'content of its own\n');
  });

  it('are neither FIFOs of others nor devices', async () => {
    const pipe = folder.join('pipe');
    mknod(pipe, FIFO, 0, 0);
    await chmod(pipe, 0o666);
    for (const path of [pipe, '/dev/null']) {
      assert.equal((await ask(NOBODY, 'put', path)).error?.code, 'ERR_PERMISSION', path);
    }
  });

  it('may be any for root, who could open them anyway', async () => {
    const source = await file('of-nobody', NOBODY);
    assert.ok((await ask(0, 'put', source)).result);
  });
});
