import { readFileSync } from 'node:fs';

/** All in bytes. */
export interface PeakMemory {
  /** The kernel's high-water mark of the resident set (VmHWM), all threads included. */
  peak: number;
  /** Heaps, buffers and the rings between threads, when the resident set was seen at its largest. */
  anonymous: number;
  /** Programs and libraries: pages that the kernel can drop and share. */
  files: number;
}

const INTERVAL_MS = 10;

/** Watches a process; what comes in its last 10 ms can be missed. Call the answer for the result so far. */
export function watchMemory(pid: number): () => PeakMemory {
  const memory: PeakMemory = { peak: 0, anonymous: 0, files: 0 };
  let largest = 0;
  const timer = setInterval(() => {
    const fields = readStatus(pid);
    memory.peak = Math.max(memory.peak, fields.VmHWM ?? 0);
    if ((fields.VmRSS ?? 0) <= largest) return;
    largest = fields.VmRSS!;
    memory.anonymous = fields.RssAnon ?? 0;
    memory.files = fields.RssFile ?? 0;
  }, INTERVAL_MS);
  return () => {
    clearInterval(timer);
    return memory;
  };
}

/** The memory fields of /proc/PID/status in bytes; none once the process has gone. */
function readStatus(pid: number): Record<string, number | undefined> {
  try {
    const lines = readFileSync(`/proc/${pid}/status`, 'utf8').matchAll(/^(\w+):\s+(\d+) kB$/gm);
    return Object.fromEntries([...lines].map(([, name, kilobytes]) => [name, Number(kilobytes) * 1024]));
  } catch {
    return {};
  }
}
