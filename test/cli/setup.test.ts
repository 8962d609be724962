import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { garua, garuaJson } from '../support/garua';
import { temporaryFolder } from '../support/temporary';

const MAIN = join(__dirname, '../../lib/cli/main.js');

/**
 * Runs a script as on a machine of its own: what it changes below /etc, /var/lib, /usr/local and /root, and in
 * /run, is gone afterwards, and it has no network.
 */
function onMachineOfItsOwn(folder: string, script: string): string {
  const frame = `
    set -e
    mount --make-rprivate /
    mount -t tmpfs tmpfs "${folder}"
    for tree in etc var/lib usr/local root; do
      mkdir -p "${folder}/$tree/upper" "${folder}/$tree/work"
      mount -t overlay overlay -o "lowerdir=/$tree,upperdir=${folder}/$tree/upper,workdir=${folder}/$tree/work" "/$tree"
    done
    mount -t tmpfs tmpfs /run
    rm -rf /root/.cache/garua
    garua() { "${process.execPath}" "${MAIN}" "$@"; }
    changed() {
      for tree in etc var/lib usr/local root; do
        (cd "${folder}/$tree/upper" && find . -mindepth 1 \\( -type f -o -type c -o -type d \\) -printf "/$tree/%P\\n")
      done | grep -v -e '/group' -e '/gshadow' -e '/subgid' -e '\\.pwd\\.lock' -e '^/root/\\.npm' -e '^/root/\\.cache$' -e '^/root/\\.cache/garua$' -e '^/var/lib/apt' -e '^/var/lib/dpkg' | sort || true
    }`;
  return execFileSync('unshare', ['--mount', '--net', 'sh', '-c', `${frame}\n${script}`], {
    encoding: 'utf8',
    env: { ...process.env, XDG_CACHE_HOME: '/root/.cache', SUDO_USER: '' },
    stdio: ['ignore', 'pipe', 'pipe'],
    maxBuffer: 16 << 20,
  });
}

describe('garua setup and uninstall', () => {
  const folder = temporaryFolder();

  const wrong: string[][] = [
    ['setup', '--for', 'fun'],
    ['setup', 'me'],
    ['uninstall', '--everything'],
    ['doctor', '--fix', '--undo'],
    ['doctor', '--fix', '--socket', '/x'],
  ];
  for (const words of wrong) {
    it(`garua ${words.join(' ')}: wrong usage, status 2`, async () => {
      const { status, stderr } = await garua(folder.join('data'), ...words);
      assert.equal(status, 2);
      assert.match(stderr, /Usage: garua/);
    });
  }

  it('say what they would do, and do nothing, with --dry-run', async () => {
    const data = folder.join('untouched');
    const setup = await garua(data, 'setup', '--dry-run');
    assert.equal(setup.status, 0);
    assert.match(setup.stderr, /It would:/);
    assert.match(setup.stderr, new RegExp(`make the folder ${data}`));
    const document = await garuaJson<{ done: boolean; steps: string[] }>(data, 'uninstall', '--dry-run');
    assert.equal(document.done, false);
    assert.ok(document.steps.includes('remove the network and the cgroups of the containers'));
    const { stdout } = await garua(data, 'ps', '--json');
    assert.deepEqual(JSON.parse(stdout), []);
  });

  it('say that there is no such user', async () => {
    const { status, stderr } = await garua(
      folder.join('data'),
      'setup',
      '--dry-run',
      '--user',
      'captain-nemo',
    );
    assert.equal(status, 1);
    assert.match(stderr, /ERR_INVALID_ARGUMENT: there is no user captain-nemo/);
  });

  it('leave nothing of a machine changed once it is uninstalled', function () {
    this.timeout(120_000);
    const output = onMachineOfItsOwn(
      folder.path,
      `
      garua setup --user games 2>&1
      getent group garua
      changed | grep -e garua.service -e '^/etc/garua$' -e '^/var/lib/garua$'
      garua setup --user games 2>&1 | head -1
      garua images
      garua uninstall --purge 2>&1
      echo; echo "left:"; changed; getent group garua || echo no group`,
    );
    assert.match(output, /^garua:x:\d+:games$/m);
    for (const path of ['/etc/garua', '/etc/systemd/system/garua.service', '/var/lib/garua']) {
      assert.ok(output.split('\n').includes(path), `${path} in\n${output}`);
    }
    assert.match(output, /Start the daemon yourself|does not run systemd/);
    const left = output.slice(output.indexOf('left:'));
    assert.doesNotMatch(left, /garua/, output);
    assert.match(left, /no group/);
  });
});
