/**
 * Makes tiny static programs that make system calls as they are told and print what the kernel answered, so that
 * a filter can be tried from inside a container that has no compiler.
 */
const LOAD = 0x400000;
const RESULTS = 0x600000;
const HEADERS = 64 + 2 * 56;
const WRITE_AND_EXIT: Record<string, { write: number; exit: number; machine: number }> = {
  x64: { write: 1, exit: 231, machine: 62 },
  arm64: { write: 64, exit: 94, machine: 183 },
};

/** A system call: its number, then up to six arguments below 2^32. */
export type RawCall = number[];

/** An executable that makes the calls in order and writes each answer as a little-endian 64-bit number. */
export function rawProgram(calls: RawCall[]): Buffer {
  const { write, exit, machine } = WRITE_AND_EXIT[process.arch]!;
  const encode = process.arch === 'x64' ? encodeX64 : encodeArm64;
  const code = Buffer.concat([
    ...calls.map((call, index) => encode(call, RESULTS + index * 8)),
    encode([write, 1, RESULTS, calls.length * 8]),
    encode([exit, 0]),
  ]);
  const header = Buffer.alloc(HEADERS);
  header.write('\x7fELF\x02\x01\x01', 'latin1');
  header.writeUInt16LE(2, 16);
  header.writeUInt16LE(machine, 18);
  header.writeUInt32LE(1, 20);
  header.writeBigUInt64LE(BigInt(LOAD + HEADERS), 24);
  header.writeBigUInt64LE(64n, 32);
  header.writeUInt16LE(64, 52);
  header.writeUInt16LE(56, 54);
  header.writeUInt16LE(2, 56);
  segment(header, 64, 5, LOAD, HEADERS + code.length);
  segment(header, 120, 6, RESULTS, 0, 0x10000);
  return Buffer.concat([header, code]);
}

/** The answers in what such a program printed. */
export function rawAnswers(output: Buffer): number[] {
  return Array.from({ length: output.length / 8 }, (_, index) => Number(output.readBigInt64LE(index * 8)));
}

function segment(header: Buffer, at: number, flags: number, address: number, inFile: number, size = inFile) {
  header.writeUInt32LE(1, at);
  header.writeUInt32LE(flags, at + 4);
  header.writeBigUInt64LE(BigInt(address), at + 16);
  header.writeBigUInt64LE(BigInt(address), at + 24);
  header.writeBigUInt64LE(BigInt(inFile), at + 32);
  header.writeBigUInt64LE(BigInt(size), at + 40);
  header.writeBigUInt64LE(0x1000n, at + 48);
}

/** `mov r32, imm32` for rdi, rsi, rdx, r10, r8, r9, then for rax; `syscall`; `mov [result], rax`. */
function encodeX64([number = 0, ...values]: RawCall, result = RESULTS): Buffer {
  const registers = [[0xbf], [0xbe], [0xba], [0x41, 0xba], [0x41, 0xb8], [0x41, 0xb9]];
  const moves = registers.flatMap((opcode, index) => [...opcode, ...bytes(values[index] ?? 0)]);
  return Buffer.from([
    ...moves,
    0xb8,
    ...bytes(number),
    0x0f,
    0x05,
    0x48,
    0x89,
    0x04,
    0x25,
    ...bytes(result),
  ]);
}

/** `movz` and `movk` for x0 to x5, x8 and x9; `svc #0`; `str x0, [x9]`. */
function encodeArm64([number = 0, ...values]: RawCall, result = RESULTS): Buffer {
  const load = (register: number, value: number) => [
    (0xd2800000 | ((value & 0xffff) << 5) | register) >>> 0,
    (0xf2a00000 | ((value >>> 16) << 5) | register) >>> 0,
  ];
  const setUp = [0, 1, 2, 3, 4, 5].flatMap((register) => load(register, values[register] ?? 0));
  const code = [...setUp, ...load(8, number), ...load(9, result), 0xd4000001, 0xf9000120];
  return Buffer.from(code.flatMap(bytes));
}

function bytes(value: number): number[] {
  return [value & 0xff, (value >>> 8) & 0xff, (value >>> 16) & 0xff, value >>> 24];
}
