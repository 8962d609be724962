import { type Outcome, warn } from '../doctor/check';
import type { Machine } from '../machine';

/** Where the Pi's firmware reads the kernel's command line; the first since Raspberry Pi OS 12 and in Ubuntu. */
const PLACES = ['/boot/firmware/cmdline.txt', '/boot/cmdline.txt'];

/** The second is what kernels before 4.20 wanted; later ones overlook it. */
const WORDS = ['cgroup_enable=memory', 'cgroup_memory=1'];

/**
 * What to do where the memory controller is off on a Raspberry Pi, whose firmware itself puts
 * `cgroup_disable=memory` before the words of cmdline.txt, so that those overrule it.
 */
export async function enableMemoryCgroup(machine: Machine): Promise<Outcome> {
  const off = 'the memory controller is off';
  for (const path of PLACES) {
    const text = await machine.read(path);
    // Raspberry Pi OS 12 leaves a note at the old place that the file has moved.
    if (text === undefined || /^DO NOT EDIT/m.test(text)) continue;
    const content = withMemoryCgroup(text);
    if (content === undefined) {
      return warn(
        `${off}, and ${path} is not one line as it should be`,
        `Make ${path} one line, with ${WORDS.join(' ')} in it, and reboot.`,
      );
    }
    if (content === text) return alreadyAsked(machine, path, off);
    return warn(off, `sudo garua doctor --fix adds ${WORDS.join(' ')} to ${path}; then reboot.`, {
      what: `added ${WORDS.join(' ')} to ${path}; it works after a reboot`,
      undo: `take the words out of ${path} again (the file as it was is ${path}.before-garua), and reboot`,
      edits: [
        { path: `${path}.before-garua`, content: text, kind: 'file' },
        { path, content, kind: 'file' },
      ],
    });
  }
  return warn(off, `Add ${WORDS.join(' ')} to the kernel command line and reboot.`);
}

async function alreadyAsked(machine: Machine, path: string, off: string): Promise<Outcome> {
  const running = ((await machine.read('/proc/cmdline')) ?? '').trim().split(/\s+/);
  if (!running.includes(WORDS[0]!)) {
    return warn(`${off}; ${path} asks for it, which works after a reboot`, 'Reboot.');
  }
  return warn(
    `${off}, although the kernel was asked for it`,
    'Upgrade the kernel, or use that of Raspberry Pi OS.',
  );
}

/** The line with what enables the controller and without what disables it; undefined when it is not one line. */
export function withMemoryCgroup(text: string): string | undefined {
  const line = text.replace(/\n+$/, '');
  const end = text.slice(line.length);
  if (line.trim() === '' || /[\r\n]/.test(line)) return undefined;
  const words = line.trim().split(/\s+/);
  const missing = WORDS.filter((word) => !words.includes(word));
  const disabled = words.includes('cgroup_disable=memory');
  if (missing.length === 0 && !disabled) return text;
  return [...words.filter((word) => word !== 'cgroup_disable=memory'), ...missing].join(' ') + end;
}
