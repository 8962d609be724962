import { readFileSync } from 'node:fs';

let bootId: string | undefined;

/** Names the boot that is running: it changes with every start of the kernel. */
export function currentBootId(): string {
  bootId ??= readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  return bootId;
}
