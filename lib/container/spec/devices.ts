import type { Device } from '../container';
import { invalidField } from '../errors';
import { absolutePath, fields, list, matching } from './checks';

export function checkDevices(value: unknown, field: string): void {
  const targets = new Set<string>();
  list(value, field).forEach((item, index) => {
    const where = `${field}[${index}]`;
    const checks = {
      source: absolutePath,
      target: absolutePath,
      permissions: matching(/^(?!.*(.).*\1)[rwm]{1,3}$/, 'is not a choice of r, w and m'),
    };
    fields(item, where, checks);
    const { source, target = source } = item as Partial<Device>;
    absolutePath(source, `${where}.source`);
    if (!target!.startsWith('/dev/')) throw invalidField(`${where}.target`, `${target} is not below /dev`);
    if (targets.has(target!)) throw invalidField(`${where}.target`, `${target} stands there twice`);
    targets.add(target!);
  });
}

/** `devices` have passed `checkDevices`. */
export function completeDevices(devices: Device[]): Required<Device>[] {
  return devices.map(({ source, target = source, permissions = 'rw' }) => ({ source, target, permissions }));
}
