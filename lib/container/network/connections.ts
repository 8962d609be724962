import { readFile } from 'node:fs/promises';

/** Of tcp(7), as proc(5) writes them: established, and those that only one side has ended. */
const OPEN = new Set(['01', '04', '05', '08']);

/** How many TCP connections are open at these ports, in the network of that process. */
export async function countConnections(pid: number, ports: readonly number[]): Promise<number> {
  const wanted = new Set(ports);
  const tables = await Promise.all(
    ['tcp', 'tcp6'].map((table) => readFile(`/proc/${pid}/net/${table}`, 'utf8').catch(() => '')),
  );
  return tables
    .flatMap((table) => table.split('\n').slice(1))
    .map((line) => line.trim().split(/\s+/))
    .filter(([, local, , state]) => {
      const port = Number.parseInt(local?.split(':')[1] ?? '', 16);
      return wanted.has(port) && OPEN.has(state ?? '');
    }).length;
}
