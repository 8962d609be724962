import { type ExecuteResult, execute } from '../../base';

/** Seconds to wait for another program that changes the rules. */
const PATIENCE = '10';

/** Runs iptables; the caller looks at the status. */
export function iptables(table: string, args: string[]): Promise<ExecuteResult> {
  return execute('iptables', ['-w', PATIENCE, '-t', table, ...args], { allowFailure: true });
}

/** The rules of a table as `iptables -S` prints them; none where there is no iptables. */
export async function listRules(table: string): Promise<string[]> {
  const { stdout } = await iptables(table, ['-S']).catch(() => ({ stdout: '' }));
  return stdout.split('\n').filter((line) => line !== '');
}
