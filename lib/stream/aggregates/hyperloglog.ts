/**
 * HyperLogLog (Flajolet et al., 2007) with 2^14 registers and Ertl's improved estimator (arXiv:1702.01284,
 * algorithm 6), which needs no bias tables. Two thirds of the estimates are within 0.81 % of the truth,
 * 99.7 % within 2.5 %.
 */
const PRECISION = 14;
const REGISTERS = 1 << PRECISION;
/** Bits of the hash that are left to count leading zeros in. */
const TAIL = 64 - PRECISION;

/** Relative standard error: 1.04 / sqrt(registers). */
export const STANDARD_ERROR = 1.04 / Math.sqrt(REGISTERS);

export type Registers = Uint8Array;

export function newRegisters(): Registers {
  return new Uint8Array(REGISTERS);
}

export function addToRegisters(registers: Registers, text: string): void {
  const high = murmur3(text, 0x9747b28c);
  const low = murmur3(text, 0x3c6ef372);
  const register = high >>> (32 - PRECISION);
  const rest = (high << PRECISION) >>> 0;
  const zeros = rest !== 0 ? Math.clz32(rest) : 32 - PRECISION + Math.clz32(low);
  const rank = Math.min(zeros, TAIL) + 1;
  if (rank > registers[register]!) registers[register] = rank;
}

export function joinRegisters(a: Registers, b: Registers): Registers {
  return a.map((rank, register) => Math.max(rank, b[register]!));
}

export function estimate(registers: Registers): number {
  const histogram = new Array<number>(TAIL + 2).fill(0);
  for (const rank of registers) histogram[rank]! += 1;
  let z = REGISTERS * tau(1 - histogram[TAIL + 1]! / REGISTERS);
  for (let rank = TAIL; rank >= 1; rank -= 1) z = 0.5 * (z + histogram[rank]!);
  z += REGISTERS * sigma(histogram[0]! / REGISTERS);
  return Math.round(((REGISTERS / (2 * Math.LN2)) * REGISTERS) / z);
}

function sigma(start: number): number {
  if (start === 1) return Number.POSITIVE_INFINITY;
  let [x, y, z, previous] = [start, 1, start, Number.NaN];
  while (z !== previous) {
    x *= x;
    previous = z;
    z += x * y;
    y += y;
  }
  return z;
}

function tau(start: number): number {
  if (start === 0 || start === 1) return 0;
  let [x, y, z, previous] = [start, 1, 1 - start, Number.NaN];
  while (z !== previous) {
    x = Math.sqrt(x);
    previous = z;
    y *= 0.5;
    z -= (1 - x) ** 2 * y;
  }
  return z / 3;
}

/** MurmurHash3 (x86, 32 bits) over UTF-16 code units, a block of two at a time. */
function murmur3(text: string, seed: number): number {
  let hash = seed;
  const { length } = text;
  for (let at = 0; at < length; at += 2) {
    const unit = text.charCodeAt(at) | (at + 1 < length ? text.charCodeAt(at + 1) << 16 : 0);
    let block = Math.imul(unit, 0xcc9e2d51);
    block = (block << 15) | (block >>> 17);
    hash ^= Math.imul(block, 0x1b873593);
    hash = (hash << 13) | (hash >>> 19);
    hash = (Math.imul(hash, 5) + 0xe6546b64) | 0;
  }
  hash ^= length;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
