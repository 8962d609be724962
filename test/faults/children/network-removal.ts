/**
 * Run in network and mount namespaces of its own by container-network.test: connects a network namespace as a
 * container's, then takes the network away, and prints what there was at each step.
 */
import { execute } from '../../../lib/base';
import { removeNetwork } from '../../../lib/container';
import { callPlugin } from '../../../lib/container/network/cni';
import { ensureForwarding } from '../../../lib/container/network/forwarding';
import { BRIDGE, bridgeConfig, portmapConfig, SUBNET } from '../../../lib/container/network/settings';

const port = { hostPort: 8080, containerPort: 80, protocol: 'tcp', hostAddress: '0.0.0.0' } as const;
const foreign = ['-m', 'comment', '--comment', 'dnat name: "podman" id: "abc"', '-j', 'RETURN'];

async function state(): Promise<string> {
  const calls = [
    ['ip', '-o', 'link'],
    ['iptables', '-S'],
    ['iptables', '-t', 'nat', '-S'],
  ];
  const results = await Promise.all(calls.map(([tool, ...args]) => execute(tool!, args)));
  return results.map(({ stdout }) => stdout).join('\n');
}

async function main(): Promise<void> {
  // Addresses of other containers of this machine are not to be touched.
  await execute('mount', ['--make-rprivate', '/']);
  await execute('mount', ['-t', 'tmpfs', 'tmpfs', '/run']);
  await execute('ip', ['link', 'set', 'lo', 'up']);
  await execute('ip', ['netns', 'add', 'box']);
  const call = { command: 'ADD', id: 'abcdef0123456789', namespace: '/run/netns/box' } as const;
  const result = await callPlugin({ ...call, config: bridgeConfig() });
  await ensureForwarding(BRIDGE, SUBNET);
  await callPlugin({ ...call, config: portmapConfig([port], result) });
  const before = await state();
  await execute('iptables', ['-t', 'nat', '-A', 'CNI-HOSTPORT-DNAT', ...foreign]);
  await removeNetwork();
  const shared = await state();
  await execute('iptables', ['-t', 'nat', '-D', 'CNI-HOSTPORT-DNAT', ...foreign]);
  await removeNetwork();
  process.stdout.write(JSON.stringify({ before, shared, after: await state() }));
}

main().catch((error) => {
  process.stderr.write(`${error.stack}\n`);
  process.exit(1);
});
