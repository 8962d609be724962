import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { daemonCommand, notifyServiceManager, unitText } from '../../../lib/host/service';
import { temporaryFolder } from '../../support/temporary';

describe('host/service', () => {
  const folder = temporaryFolder();

  it('starts the daemon by absolute paths that are there', () => {
    const [node, main, command] = daemonCommand();
    assert.ok(existsSync(node!) && existsSync(main!));
    assert.equal(command, 'host');
    assert.deepEqual(daemonCommand({ dataDirectory: '/srv/a b', name: 'x', socket: '/s' }).slice(3), [
      '--data',
      '/srv/a b',
      '--name',
      'x',
      '--socket',
      '/s',
    ]);
  });

  it('lets containers outlive the daemon', () => {
    const text = unitText();
    for (const line of [
      'KillMode=process',
      'Delegate=yes',
      'Restart=on-failure',
      'RuntimeDirectoryPreserve=yes',
    ]) {
      assert.ok(text.split('\n').includes(line), line);
    }
    assert.doesNotMatch(
      text,
      /^(Protect|Private|ReadOnly|NoNewPrivileges|CapabilityBoundingSet|SystemCall)/m,
    );
  });

  it('is a unit that systemd understands, whatever the names', () => {
    const path = folder.join('garua.service');
    const dataDirectory = '/srv/50% of $HOME "quoted"\\';
    writeFileSync(path, unitText({ dataDirectory }));
    const { stderr, status } = spawnSync('systemd-analyze', ['verify', '--man=no', path], {
      encoding: 'utf8',
    });
    assert.deepEqual([status, stderr.split('\n').filter((line) => line.includes('garua.service'))], [0, []]);
    assert.ok(unitText({ dataDirectory }).includes('--data "/srv/50%% of $$HOME \\"quoted\\"\\\\"'));
  });

  it('tells the service manager, and does without one', async () => {
    const path = folder.join('notify.sock');
    const program = `
      use Socket;
      socket(my $server, PF_UNIX, SOCK_DGRAM, 0) or die;
      bind($server, sockaddr_un($ARGV[0])) or die;
      open(my $ready, ">", "$ARGV[0].ready"); close($ready);
      recv($server, my $message, 1000, 0); print $message;`;
    const sender = join(__dirname, '../../../lib/host/service');
    const output = execFileSync(
      'sh',
      [
        '-c',
        'perl -e "$1" "$2" & while [ ! -e "$2.ready" ]; do sleep 0.02; done; "$3" -e "$4"; wait',
        'sh',
        program,
        path,
        process.execPath,
        `require(${JSON.stringify(sender)}).notifyServiceManager('READY=1', 'STATUS=fine')`,
      ],
      { encoding: 'utf8', env: { ...process.env, NOTIFY_SOCKET: path }, timeout: 20_000 },
    );
    assert.equal(output, 'READY=1\nSTATUS=fine');
    const before = process.env.NOTIFY_SOCKET;
    try {
      process.env.NOTIFY_SOCKET = folder.join('nobody');
      notifyServiceManager('READY=1');
      delete process.env.NOTIFY_SOCKET;
      notifyServiceManager('READY=1');
    } finally {
      if (before !== undefined) process.env.NOTIFY_SOCKET = before;
    }
  });
});
