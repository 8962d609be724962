import { SingleFlight } from '../../base';
import { NetworkFailedError } from '../errors';
import { iptables } from './iptables';

const running = new SingleFlight<boolean>();

/** Rules beside those of the plugins, with table and chain. */
export function forwardingRules(bridge: string, subnet: string): [string, string, string[]][] {
  const known = ['-m', 'conntrack', '--ctstate', 'ESTABLISHED,RELATED,DNAT'];
  return [
    ['nat', 'POSTROUTING', ['-s', subnet, '!', '-d', subnet, '-j', 'MASQUERADE']],
    ['filter', 'FORWARD', ['-i', bridge, '-j', 'ACCEPT']],
    ['filter', 'FORWARD', ['-o', bridge, ...known, '-j', 'ACCEPT']],
  ];
}

/**
 * Lets the bridge's containers reach the world under the host's address, and published ports reach them, also
 * where a firewall (Docker's, for one) forwards nothing by default. Rules that are there stay as they are.
 *
 * @returns whether any was missing
 */
export function ensureForwarding(bridge: string, subnet: string): Promise<boolean> {
  return running.run(bridge, async () => {
    let missing = false;
    for (const [table, chain, rule] of forwardingRules(bridge, subnet)) {
      const { exitCode } = await iptables(table, ['-C', chain, ...rule]);
      if (exitCode === 0) continue;
      missing = true;
      // In front: what drops by default stands at the end.
      const added = await iptables(table, ['-I', chain, ...rule]);
      if (added.exitCode !== 0) throw new NetworkFailedError('iptables', added.stderr.trim());
    }
    return missing;
  });
}
