import { readFileSync } from 'node:fs';
import type { Descriptor, Platform } from '../image';
import { PlatformInvalidError, PlatformNotFoundError } from './errors';

/** Go's names, which images use, by Node's. */
const ARCHITECTURES: Partial<Record<string, string>> = { x64: 'amd64', ia32: '386', ppc64: 'ppc64le' };

/** What people and kernels write, by the name that images use. */
const ALIASES: Partial<Record<string, [architecture: string, variant?: string]>> = {
  x86_64: ['amd64'],
  'x86-64': ['amd64'],
  aarch64: ['arm64'],
  armhf: ['arm', 'v7'],
  armel: ['arm', 'v6'],
  i386: ['386'],
};

/** The variant that an absent one means. */
const IMPLIED_VARIANT: Partial<Record<string, string>> = { arm64: 'v8', arm: 'v7', amd64: 'v1' };

/** The lowest variant that still runs on higher ones. */
const LOWEST_VARIANT: Partial<Record<string, number>> = { arm64: 8, arm: 5, amd64: 1 };

/**
 * Reads `os/architecture[/variant]`.
 *
 * @throws {PlatformInvalidError}
 */
export function parsePlatform(text: string): Platform {
  const match = /^([a-z0-9_-]+)\/([a-z0-9_-]+)(?:\/([a-z0-9._-]+))?$/.exec(text.trim().toLowerCase());
  if (!match) throw new PlatformInvalidError(text);
  const [architecture, aliasVariant] = ALIASES[match[2]!] ?? [match[2]!];
  const variant = match[3] ?? aliasVariant;
  return { os: match[1]!, architecture, ...(variant ? { variant } : {}) };
}

export function formatPlatform({ os, architecture, variant }: Platform): string {
  return variant ? `${os}/${architecture}/${variant}` : `${os}/${architecture}`;
}

/** This machine. Containers are Linux whatever the host calls itself. */
export function hostPlatform(): Platform {
  const architecture = ARCHITECTURES[process.arch] ?? process.arch;
  const variant = architecture === 'amd64' ? amd64Variant(cpuFlags()) : IMPLIED_VARIANT[architecture];
  return { os: 'linux', architecture, ...(variant ? { variant } : {}) };
}

/**
 * The highest level of the x86-64 psABI ("Microarchitecture Levels") whose features a CPU has, by the names
 * of /proc/cpuinfo; undefined for the base level.
 */
export function amd64Variant(flags: ReadonlySet<string>): string | undefined {
  const has = (names: string) => names.split(' ').every((name) => flags.has(name));
  if (!has('cx16 lahf_lm popcnt pni sse4_1 sse4_2 ssse3')) return undefined;
  if (!has('avx avx2 bmi1 bmi2 f16c fma abm movbe xsave')) return 'v2';
  return has('avx512f avx512bw avx512cd avx512dq avx512vl') ? 'v4' : 'v3';
}

function cpuFlags(): Set<string> {
  try {
    const flags = /^flags\s*:\s*(.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1] ?? '';
    return new Set(flags.split(' '));
  } catch {
    return new Set();
  }
}

/**
 * How well a machine runs an image: 0 is its own variant, higher is older, undefined is not at all. Variants
 * run their predecessors (arm/v7 runs v6 and v5, amd64/v3 runs v2 and v1); arm64 and arm64/v8 are the same.
 */
export function platformRank(machine: Platform, image: Platform): number | undefined {
  if (machine.os !== image.os || machine.architecture !== image.architecture) return undefined;
  const wanted = machine.variant ?? IMPLIED_VARIANT[machine.architecture];
  const offered = image.variant || IMPLIED_VARIANT[image.architecture];
  if (wanted === offered || offered === undefined) return 0;
  const [wantedLevel, offeredLevel] = [level(wanted), level(offered)];
  const lowest = LOWEST_VARIANT[machine.architecture];
  if (wantedLevel === undefined || offeredLevel === undefined || lowest === undefined) return undefined;
  if (offeredLevel > wantedLevel || offeredLevel < lowest) return undefined;
  return wantedLevel - offeredLevel;
}

function level(variant: string | undefined): number | undefined {
  const match = /^v(\d+(?:\.\d+)?)$/.exec(variant ?? '');
  return match ? Number(match[1]) : undefined;
}

/**
 * Chooses from an index what runs best on a platform; the first of equals wins. A descriptor that names no
 * platform is taken when it is the only one left.
 *
 * @throws {PlatformNotFoundError}
 */
export function choosePlatform<T extends Descriptor>(name: string, descriptors: T[], wanted: Platform): T {
  const images = descriptors.filter((descriptor) => !isAttestation(descriptor));
  let best: { descriptor: T; rank: number } | undefined;
  for (const descriptor of images) {
    if (!descriptor.platform) continue;
    const rank = platformRank(wanted, descriptor.platform);
    if (rank !== undefined && (!best || rank < best.rank)) best = { descriptor, rank };
  }
  if (best) return best.descriptor;
  const [unnamed, ...others] = images.filter(({ platform }) => !platform);
  if (unnamed && others.length === 0) return unnamed;
  throw new PlatformNotFoundError(
    name,
    wanted,
    images.flatMap(({ platform }) => platform ?? []),
  );
}

/** Build systems store provenance beside images, as manifests that nothing can run. */
function isAttestation({ platform, annotations }: Descriptor): boolean {
  return platform?.os === 'unknown' || annotations?.['vnd.docker.reference.type'] !== undefined;
}
