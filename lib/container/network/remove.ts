import { readdir, rm } from 'node:fs/promises';
import { execute } from '../../base';
import { forwardingRules } from './forwarding';
import { iptables, listRules } from './iptables';
import { removeNamespace } from './namespace';
import { publishedIds, withdrawPorts } from './published';
import { ATTACHMENTS, BRIDGE, LEASES, NAMESPACES, SUBNET } from './settings';

/** Chains of the portmap plugin, which other programs with CNI networks share, in the order of their removal. */
const SHARED = ['CNI-HOSTPORT-DNAT', 'CNI-HOSTPORT-MASQ', 'CNI-HOSTPORT-SETMARK'];

/**
 * Takes everything away that containers on the bridge have ever made on this machine: bridge, rules, addresses. What
 * the portmap plugin shares with other programs goes only when none of them uses it. Containers that still run lose
 * their network. Can be repeated. (net.ipv4.ip_forward stays: others may count on it by now.)
 */
export async function removeNetwork(): Promise<void> {
  const port = { hostPort: 1, containerPort: 1, protocol: 'tcp', hostAddress: '0.0.0.0' } as const;
  for (const id of publishedIds(await listRules('nat'))) await withdrawPorts(id, [port]).catch(() => {});
  for (const [table, chain, rule] of forwardingRules(BRIDGE, SUBNET)) {
    while (await succeeds(iptables(table, ['-D', chain, ...rule]))) {
      // The same rule may stand there more than once.
    }
  }
  await removeSharedChains();
  await execute('ip', ['link', 'delete', BRIDGE], { allowFailure: true }).catch(() => {});
  for (const id of await readdir(NAMESPACES).catch(() => [])) await removeNamespace(id);
  for (const folder of [LEASES, ATTACHMENTS, NAMESPACES]) await rm(folder, { recursive: true, force: true });
}

async function removeSharedChains(): Promise<void> {
  const rules = await listRules('nat');
  // Rules of SETMARK and MASQ are only the plugin's own; each published port has one in DNAT.
  if (rules.some((rule) => rule.startsWith('-A CNI-HOSTPORT-DNAT ') || rule.startsWith('-N CNI-DN-'))) return;
  for (const rule of rules) {
    const jump = SHARED.some((chain) => rule.endsWith(` -j ${chain}`));
    if (jump) await iptables('nat', ['-D', ...words(rule).slice(1)]);
  }
  for (const chain of SHARED) {
    await iptables('nat', ['-F', chain]);
    await iptables('nat', ['-X', chain]);
  }
}

/** The words of a rule as `iptables -S` prints it: quoted where they hold blanks. */
function words(rule: string): string[] {
  return [...rule.matchAll(/"((?:[^"\\]|\\.)*)"|\S+/g)].map(([word, quoted]) =>
    quoted === undefined ? word : quoted.replace(/\\(.)/g, '$1'),
  );
}

async function succeeds(call: ReturnType<typeof iptables>): Promise<boolean> {
  return call.then(
    ({ exitCode }) => exitCode === 0,
    () => false,
  );
}
