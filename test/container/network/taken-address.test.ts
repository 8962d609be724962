import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { temporaryFolder } from '../../support/temporary';

const run = promisify(execFile);
const LIB = join(__dirname, '../../../lib/container');
const ADDRESS = '10.86.0.5';

/** Connects a network namespace on a machine that has no bridge yet, and on which somebody has the address. */
const SCRIPT = `
  const { mkdirSync, writeFileSync } = require('node:fs');
  const { connect, attachedAddress } = require('${LIB}/network/bridge');
  const { ContainerFolder } = require('${LIB}/paths');
  const { identifyProcess } = require('${LIB}/runtime/process-identity');
  const [path, namespace] = process.argv.slice(1);
  mkdirSync('/run/garua/leases/garua', { recursive: true });
  writeFileSync('/run/garua/leases/garua/${ADDRESS}', 'somebody');
  (async () => {
    const folder = new ContainerFolder(path, path + '-exit');
    const names = { name: 'box', hostname: 'box' };
    const self = await identifyProcess(process.pid);
    await connect({ id: 'abcdef0123', folder, names, ports: [], process: self, namespace, wanted: '${ADDRESS}' });
    console.log(await attachedAddress(folder));
  })();
`;

/** A machine of its own, as far as its network goes, and in it the namespace of a container. */
const MACHINE = `
  mkdir -p /run/garua && mount -t tmpfs tmpfs /run/garua && ip link set lo up
  unshare --net sleep 50 & pid=$!
  while [ "$(readlink /proc/$pid/ns/net)" = "$(readlink /proc/$$/ns/net)" ]; do sleep 0.05; done
  "$@" /proc/$pid/ns/net; status=$?
  kill $pid; exit $status
`;

describe('container: an address on the bridge that is taken', function () {
  this.timeout(60_000);
  const folder = temporaryFolder();

  before(function () {
    if (process.getuid?.() !== 0) this.skip();
  });

  it('is another one, also where there was no bridge yet', async () => {
    const node = [process.execPath, '-e', SCRIPT, folder.join('abcdef0123')];
    const { stdout } = await run('unshare', ['--net', '--mount', 'sh', '-c', MACHINE, 'sh', ...node]);
    assert.match(stdout, /^10\.86\.\d+\.\d+\n$/);
    assert.notEqual(stdout.trim(), ADDRESS);
  });
});
