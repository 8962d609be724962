import { readFile } from 'node:fs/promises';
import { release } from 'node:os';
import { execute, ToolMissingError } from '../../../base';
import type { CheckpointFacts } from '../checkpointer';
import { CheckpointUnsupportedError } from '../errors';

const VERSION_LIMIT_MS = 10_000;
/**
 * Instructions that programs choose by at their start, as /proc/cpuinfo of x86 names them. What else stands there is
 * for the kernel alone.
 */
const USER_FEATURES =
  /^(mmx|mmxext|3dnow\w*|fxsr|sse\w*|ssse3|pni|avx\w*|fma4?|aes|vaes|v?pclmulqdq|sha_ni|sha512|sm[34]|bmi[12]|adx|f16c|movbe|popcnt|rdrand|rdseed|gfni|xsave\w*|xgetbv1|cx16|abm|lahf_lm|fsgsbase|clflush\w*|clwb|3dnowprefetch|rtm|hle|amx\w*|pku|ospke|tbm|xop|movdir\w+|serialize|waitpkg|rdpid|user_shstk|umip)$/;

/** What this host has to offer to a checkpoint. @throws {CheckpointUnsupportedError} without CRIU */
export async function criuFacts(): Promise<CheckpointFacts> {
  return {
    engine: 'criu',
    engineVersion: await criuVersion(),
    architecture: process.arch,
    kernel: release(),
    cpuFeatures: features(await readFile('/proc/cpuinfo', 'utf8')),
  };
}

async function criuVersion(): Promise<string> {
  const { stdout } = await execute('criu', ['--version'], { timeoutMs: VERSION_LIMIT_MS }).catch((cause) => {
    const reason =
      cause instanceof ToolMissingError ? 'CRIU is not installed' : `CRIU does not run: ${cause.message}`;
    throw new CheckpointUnsupportedError(reason, { cause });
  });
  return /Version:\s*(\S+)/.exec(stdout)?.[1] ?? 'unknown';
}

/** By the text of /proc/cpuinfo: what all processors have in common, as the first tells it. */
export function features(text: string): string[] {
  const words = /^(?:flags|Features)\s*:\s*(.*)$/m.exec(text)?.[1]?.split(/\s+/) ?? [];
  // On Arm every word is a capability that programs are told of.
  const isX86 = /^flags\s*:/m.test(text);
  return words.filter((word) => word !== '' && (!isX86 || USER_FEATURES.test(word))).sort();
}

/** In words, all reasons why a checkpoint made there cannot go on here. */
export function incompatibilities(there: CheckpointFacts, here: CheckpointFacts): string[] {
  const reasons: string[] = [];
  if (there.engine !== here.engine) {
    reasons.push(`it was made by ${there.engine}, and this host has ${here.engine}`);
  }
  if (there.architecture !== here.architecture) {
    reasons.push(`it is for ${there.architecture}, and this host is ${here.architecture}`);
    return reasons;
  }
  if (isOlder(here.engineVersion, there.engineVersion)) {
    reasons.push(
      `it was made by ${there.engine} ${there.engineVersion}, and this host has the older ${here.engineVersion}`,
    );
  }
  if (isOlder(here.kernel, there.kernel)) {
    reasons.push(`it ran on Linux ${there.kernel}, and this host has the older ${here.kernel}`);
  }
  const offered = new Set(here.cpuFeatures);
  const missing = there.cpuFeatures.filter((feature) => !offered.has(feature));
  if (missing.length > 0) {
    reasons.push(
      `this host's processor lacks ${missing.join(', ')}, which its programs may have chosen to use`,
    );
  }
  return reasons;
}

/** By major and minor number; what is no version is not judged. */
function isOlder(one: string, other: string): boolean {
  const [a, b] = [one, other].map((text) => /^(\d+)\.(\d+)/.exec(text)?.slice(1).map(Number));
  if (!a || !b) return false;
  return a[0]! < b[0]! || (a[0] === b[0] && a[1]! < b[1]!);
}
