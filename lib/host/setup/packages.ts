import { closeSync, openSync, readSync } from 'node:fs';
import { findProgram, isExecutable } from './programs';

/** What the machine is to be able to do; each includes those before it. */
export type Purpose = 'containers' | 'demo' | 'tests';

export interface HostPackage {
  /** Name in Debian and what is derived from it. */
  name: string;
  purpose: Purpose;
  /** What Garua does with it, for people who are asked to install it. */
  use: string;
  isPresent(): boolean;
}

const PURPOSES: Purpose[] = ['containers', 'demo', 'tests'];

/** The programs that Garua runs but does not bring, as Debian names them. */
export const HOST_PACKAGES: HostPackage[] = [
  program('runc', 'containers', 'runs containers'),
  program('conmon', 'containers', 'keeps their logs and exit codes'),
  program('iproute2', 'containers', 'connects them to networks', 'ip'),
  program('patchelf', 'containers', 'lets a newer CRIU run beside an older system'),
  {
    name: 'containernetworking-plugins',
    purpose: 'containers',
    use: 'gives them addresses and published ports',
    isPresent: () => isExecutable('/usr/lib/cni/bridge') || isExecutable('/opt/cni/bin/bridge'),
  },
  program('iptables', 'containers', 'lets their networks through'),
  program('docker-registry', 'demo', 'serves the demo image on this machine'),
  program('skopeo', 'demo', 'puts the demo image into that registry'),
  {
    name: 'busybox-static',
    purpose: 'demo',
    use: 'is what the demo image is made of',
    isPresent: () => isStaticProgram(findProgram('busybox')),
  },
  program('umoci', 'tests', 'is compared with when layers are unpacked'),
  program('chromium', 'tests', 'opens the editor'),
  program('strace', 'tests', 'kills processes at the system call that a test names'),
  program('ipfs-cid', 'tests', 'is compared with when objects are named', 'ipfs_cid'),
];

/** Those of the packages for a purpose that this machine lacks, however the programs came here. */
export function missingPackages(purpose: Purpose, packages = HOST_PACKAGES): HostPackage[] {
  const wanted = PURPOSES.slice(0, PURPOSES.indexOf(purpose) + 1);
  return packages.filter((candidate) => wanted.includes(candidate.purpose) && !candidate.isPresent());
}

function program(name: string, purpose: Purpose, use: string, executable = name): HostPackage {
  return { name, purpose, use, isPresent: () => findProgram(executable) !== undefined };
}

const PROGRAM_HEADER_INTERPRETER = 3;

/**
 * Whether an ELF file runs without shared libraries, as it must in an image that has none. Reads the
 * program headers of a 64-bit little-endian file (ELF-64 object file format, section 6).
 */
export function isStaticProgram(path: string | undefined): boolean {
  if (path === undefined) return false;
  const file = openSync(path, 'r');
  try {
    const header = Buffer.alloc(64);
    readSync(file, header, 0, header.length, 0);
    if (header.readUInt32BE(0) !== 0x7f454c46) return false;
    const [offset, size, count] = [
      Number(header.readBigUInt64LE(32)),
      header.readUInt16LE(54),
      header.readUInt16LE(56),
    ];
    const table = Buffer.alloc(size * count);
    readSync(file, table, 0, table.length, offset);
    for (let index = 0; index < count; index += 1) {
      if (table.readUInt32LE(index * size) === PROGRAM_HEADER_INTERPRETER) return false;
    }
    return true;
  } finally {
    closeSync(file);
  }
}
