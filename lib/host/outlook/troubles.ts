import { type Machine, mountOf, powerTroubles } from '../machine';

/** In words, why a machine had better be left: its voltage is too low, or the disk that holds the path fails. */
export async function troublesOf(machine: Machine, path: string): Promise<string[]> {
  const [power, mount] = await Promise.all([powerTroubles(machine), mountOf(machine, path)]);
  const troubles: string[] = [];
  if (power?.some(({ kind, now }) => kind === 'undervoltage' && now)) {
    troubles.push('the supply voltage is too low');
  }
  if (!mount) return troubles;
  // The kernel makes it so after an error (mount option errors=remount-ro): a host began to write there.
  if (mount.options.includes('ro')) troubles.push(`${mount.point} can only be read`);
  // Counted by ext4 until the file system is checked (Documentation/ABI/testing/sysfs-fs-ext4).
  const count = Number(await machine.read(`/sys/fs/ext4/${mount.device}/errors_count`));
  if (count > 0) troubles.push(`the file system on ${mount.device} has ${count} errors on record`);
  return troubles;
}
