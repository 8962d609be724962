import { execute, SingleFlight } from '../../base';
import { NetworkFailedError } from '../errors';

const running = new SingleFlight<void>();

/**
 * Lets the bridge's containers reach the world under the host's address, and published ports reach them, also
 * where a firewall (Docker's, for one) forwards nothing by default. Rules that are there stay as they are.
 */
export function ensureForwarding(bridge: string, subnet: string): Promise<void> {
  return running.run(bridge, async () => {
    const rules = [
      ['nat', 'POSTROUTING', '-s', subnet, '!', '-d', subnet, '-j', 'MASQUERADE'],
      ['filter', 'FORWARD', '-i', bridge, '-j', 'ACCEPT'],
      [
        'filter',
        'FORWARD',
        '-o',
        bridge,
        '-m',
        'conntrack',
        '--ctstate',
        'ESTABLISHED,RELATED,DNAT',
        '-j',
        'ACCEPT',
      ],
    ];
    for (const [table, chain, ...rule] of rules) {
      const call = (action: string) => ['-w', '10', '-t', table!, action, chain!, ...rule];
      const { exitCode } = await iptables(call('-C'));
      if (exitCode === 0) continue;
      // In front: what drops by default stands at the end.
      const added = await iptables(call('-I'));
      if (added.exitCode !== 0) throw new NetworkFailedError('iptables', added.stderr.trim());
    }
  });
}

function iptables(args: string[]) {
  return execute('iptables', args, { allowFailure: true });
}
