import { readFile } from 'node:fs/promises';

/**
 * Bytes that a network namespace has received and sent since it was made, loopback not counted; null when it cannot
 * be read. `proc` is another folder in tests.
 */
export async function readTraffic(
  pid: number,
  proc = '/proc',
): Promise<{ receivedBytes: number | null; sentBytes: number | null }> {
  const text = await readFile(`${proc}/${pid}/net/dev`, 'utf8').catch(() => undefined);
  if (text === undefined) return { receivedBytes: null, sentBytes: null };
  let [receivedBytes, sentBytes] = [0, 0];
  // proc(5): after the name eight counters of what was received, then eight of what was sent; bytes come first.
  for (const [, name, counters] of text.matchAll(/^\s*(\S+):\s*(.*)$/gm)) {
    if (name === 'lo') continue;
    const values = counters!.trim().split(/\s+/).map(Number);
    receivedBytes += values[0] ?? 0;
    sentBytes += values[8] ?? 0;
  }
  return { receivedBytes, sentBytes };
}
