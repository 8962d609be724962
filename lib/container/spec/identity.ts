import { isIP } from 'node:net';
import type { ContainerSpec } from '../container';
import { ContainerNameInvalidError, invalidField } from '../errors';
import { list, matching, text, textRecord } from './checks';

const NAME = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$/;
const HOSTNAME =
  /^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*$/;
const USER = /^[^:\s\0/]+(:[^:\s\0/]+)?$/;
const SERVICE = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;
const GROUP = /^[^:\s\0/,]+$/;

export const checkUser = matching(USER, 'is neither "user" nor "user:group"');
export const checkService = matching(SERVICE, 'is not a service name (RFC 1123 label)');
const checkGroup = matching(GROUP, 'is not a group');
const hostnamePattern = matching(HOSTNAME, 'is not a host name (RFC 1123)');

/** @throws {ContainerNameInvalidError} */
export function checkName(name: unknown): asserts name is string {
  if (!isContainerName(name)) throw new ContainerNameInvalidError(String(name));
}

export function isContainerName(name: unknown): boolean {
  return typeof name === 'string' && NAME.test(name);
}

export function isServiceName(value: unknown): boolean {
  return typeof value === 'string' && SERVICE.test(value);
}

export function checkHostname(value: unknown, field: string): void {
  hostnamePattern(value, field);
  if ((value as string).length > 64)
    throw invalidField(field, 'is longer than the 64 characters Linux allows');
}

export function checkGroups(value: unknown, field: string): void {
  list(value, field).forEach((group, index) => {
    checkGroup(group, `${field}[${index}]`);
  });
}

export function checkExtraHosts(value: unknown, field: string): void {
  textRecord(value, field);
  for (const [name, address] of Object.entries(value)) {
    hostnamePattern(name, `${field} name`);
    if (address !== 'host-gateway' && isIP(address) === 0) {
      throw invalidField(`${field}.${name}`, `"${address}" is neither an IP address nor host-gateway`);
    }
  }
}

/** What no field alone can tell. @throws {InvalidArgumentError} */
export function checkGatewayReach({ extraHosts = {}, network }: ContainerSpec): void {
  const name = Object.keys(extraHosts).find((key) => extraHosts[key] === 'host-gateway');
  if (name && network === 'none') {
    throw invalidField(`extraHosts.${name}`, 'without a network there is no way to the host');
  }
}

export function checkEnvironment(value: unknown, field: string): void {
  textRecord(value, field);
  const bad = Object.keys(value).find((key) => key.includes('='));
  if (bad) throw invalidField(field, `the name "${bad}" holds an equals sign`);
}

/** `registry/team/web:1.2@sha256:...` gives `web`. */
export function nameFromImage(image: string): string {
  text(image, 'image');
  const last = image.replace(/@.*$/, '').replace(/\/+$/, '').split('/').at(-1) ?? '';
  const name = last
    .replace(/^[a-z-]+:(?=.)/, (prefix) => (image.startsWith(prefix) ? '' : prefix))
    .replace(/:.*$/, '')
    .replace(/[^A-Za-z0-9_.-]/g, '-')
    .replace(/^[^A-Za-z0-9]+/, '')
    .slice(0, 63);
  return name || 'container';
}
