/** What the start of an executable file says about how the kernel will run it. */
export type Program =
  | { kind: 'elf'; machine: string | undefined; interpreter: string | undefined }
  | { kind: 'script'; interpreter: string }
  | { kind: 'unknown' };

/** Bytes of a file that `parseProgram` wants; linkers put what matters here. */
export const PROGRAM_START = 4096;

const PT_INTERP = 3;
/** e_machine of the ELF header by OCI architecture; the values are in elf.h. */
const MACHINES: Record<number, string> = {
  3: '386',
  8: 'mips',
  20: 'ppc',
  21: 'ppc64le',
  22: 's390x',
  40: 'arm',
  62: 'amd64',
  183: 'arm64',
  243: 'riscv64',
  258: 'loong64',
};

/** Reads `#!` lines (execve(2)) and ELF headers (elf(5)). */
export function parseProgram(start: Buffer): Program {
  if (start.length >= 20 && start.toString('latin1', 0, 4) === '\x7fELF') {
    const bigEndian = start[5] === 2;
    const machine = MACHINES[bigEndian ? start.readUInt16BE(18) : start.readUInt16LE(18)];
    return { kind: 'elf', machine, interpreter: bigEndian ? undefined : elfInterpreter(start) };
  }
  const interpreter = /^#![ \t]*([^\s\0]+)/.exec(start.toString('utf8', 0, 256))?.[1];
  return interpreter ? { kind: 'script', interpreter } : { kind: 'unknown' };
}

/** The dynamic linker that a little-endian program asks for. */
function elfInterpreter(start: Buffer): string | undefined {
  const wide = start[4] === 2;
  if (start.length < 64) return undefined;
  const tableOffset = wide ? Number(start.readBigUInt64LE(32)) : start.readUInt32LE(28);
  const [entrySize, count] = [start.readUInt16LE(wide ? 54 : 42), start.readUInt16LE(wide ? 56 : 44)];
  for (let index = 0; index < count; index += 1) {
    const entry = tableOffset + index * entrySize;
    if (entry + (wide ? 56 : 32) > start.length) return undefined;
    if (start.readUInt32LE(entry) !== PT_INTERP) continue;
    const offset = wide ? Number(start.readBigUInt64LE(entry + 8)) : start.readUInt32LE(entry + 4);
    const size = wide ? Number(start.readBigUInt64LE(entry + 32)) : start.readUInt32LE(entry + 16);
    if (offset + size > start.length) return undefined;
    return start.toString('utf8', offset, offset + size).replace(/\0+$/, '') || undefined;
  }
  return undefined;
}
