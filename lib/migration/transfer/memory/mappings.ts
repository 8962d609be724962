import { readFileSync } from 'node:fs';

/** A part of a process's address space, as bytes `[start, end)`. */
export interface Mapping {
  start: number;
  end: number;
  /** Pages that are still those of a file are left out: the target has the file. */
  shared: boolean;
}

/** What the kernel puts there itself; it is not the process's. */
const KERNEL = new Set(['[vvar]', '[vdso]', '[vsyscall]', '[vvar_vclock]']);
/** Memory that processes share without a file. */
const SHARED_MEMORY = /^(\/dev\/zero|\/memfd:|\/SYSV|\/dev\/shm\/|$)/;

/** The memory of a process that a checkpoint would hold (proc(5), /proc/PID/maps); none when it has ended. */
export function memoryMappings(pid: number): Mapping[] {
  const found: Mapping[] = [];
  for (const line of readProc(pid, 'maps').split('\n')) {
    const [, start, end, flags, path] = /^(\w+)-(\w+) (\S+) \S+ \S+ \S+\s*(.*)$/.exec(line) ?? [];
    if (!start || KERNEL.has(path!)) continue;
    const shared = flags![3] === 's';
    if (shared && !SHARED_MEMORY.test(path!)) continue;
    found.push({ start: Number.parseInt(start, 16), end: Number.parseInt(end!, 16), shared });
  }
  return found;
}

/** The size of the kernel's own pages in bytes. */
export function kernelPageSize(): number {
  const [, kilobytes] = /^KernelPageSize:\s+(\d+) kB/m.exec(readFileSync('/proc/self/smaps', 'utf8')) ?? [];
  return Number(kilobytes ?? 4) << 10;
}

/** A file of a process below /proc, with one character for each byte; empty when it has ended. */
export function readProc(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'latin1');
  } catch (error) {
    if (['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '')) return '';
    throw error;
  }
}
