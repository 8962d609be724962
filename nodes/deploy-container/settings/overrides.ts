import { InvalidArgumentError } from '../../../lib/base';
import type { ContainerSpec } from '../../../lib/container';
import type { PullPolicy } from '../../../lib/image';
import { type Scale, scaleOf } from './scale';
import { type DeploySettings, PULL_POLICIES } from './settings';
import { isEmpty, numberOf, oneOf, present, sizeOf } from './values';
import { commandWords } from './words';

export const ACTIONS = ['deploy', 'stop', 'start', 'restart', 'remove', 'status', 'stats'] as const;
export type Action = (typeof ACTIONS)[number];

type Message = Record<string, unknown>;

/** Properties that grant power over the host or its network: the flow's author sets them, no message. */
const FORBIDDEN = [
  'mounts',
  'devices',
  'user',
  'groups',
  'network',
  'ports',
  'extraHosts',
  'service',
  'servicePort',
  'capabilities',
  'privileged',
  'credentials',
  'insecure',
];

/** Which of the properties that only the dialog can set a message tries to set. */
export function forbiddenOverrides(message: Message): string[] {
  return FORBIDDEN.filter((property) => !isEmpty(message[property]));
}

/** What a message asks for. @throws {InvalidArgumentError} */
export function actionOf(message: Message): Action {
  return oneOf('msg.action', ACTIONS, message.action) ?? 'deploy';
}

/** The container that a message is about. @throws {InvalidArgumentError} */
export function nameOf(settings: DeploySettings, message: Message): string {
  return textOf(message, 'name') ?? settings.spec.name;
}

/** What a deploy is to bring about. */
export interface DeployRequest {
  spec: ContainerSpec & { name: string };
  policy: PullPolicy;
  scale: Scale | undefined;
}

/** The settings, with what the message overrides. @throws {InvalidArgumentError} */
export function deployRequest(
  settings: DeploySettings,
  message: Message,
  property: (path: string) => unknown,
): DeployRequest {
  const { spec } = settings;
  return {
    spec: present({
      ...spec,
      image: imageOf(settings, message, property),
      name: nameOf(settings, message),
      command: commandOf(message.command) ?? spec.command,
      env: environmentOf(message.env, spec.env),
      memory: sizeOf(message.memory) ?? spec.memory,
      cpus: numberOf('msg.cpus', message.cpus) ?? spec.cpus,
    }),
    policy: oneOf('pull policy', PULL_POLICIES, message.pullPolicy) ?? settings.policy,
    scale: isEmpty(message.replicas)
      ? settings.scale
      : scaleOf(message.replicas, settings.sites, spec.service),
  };
}

function imageOf(settings: DeploySettings, message: Message, property: (path: string) => unknown): string {
  const { imageProperty } = settings;
  const image = imageProperty ? property(imageProperty) : (textOf(message, 'image') ?? settings.image);
  if (typeof image === 'string' && image.trim() !== '') return image.trim();
  throw new InvalidArgumentError(
    imageProperty ? `msg.${imageProperty} holds no image reference` : 'no image is set',
    'Set the image in the dialog or in the message, such as docker.io/library/nginx:alpine.',
  );
}

function commandOf(command: unknown): string[] | undefined {
  if (isEmpty(command)) return undefined;
  if (typeof command === 'string') return commandWords(command);
  if (Array.isArray(command) && command.every((word) => typeof word === 'string')) return command;
  throw new InvalidArgumentError('msg.command is neither a text nor an array of texts');
}

/** Variables of the message are added to those of the dialog; null takes one away. */
function environmentOf(changes: unknown, base?: Record<string, string>): Record<string, string> | undefined {
  if (isEmpty(changes)) return base;
  if (typeof changes !== 'object' || Array.isArray(changes)) {
    throw new InvalidArgumentError('msg.env is not an object of names and values');
  }
  const merged = Object.entries({ ...base, ...(changes as Record<string, unknown>) });
  const kept = merged.filter(([, value]) => value !== null && value !== undefined);
  return Object.fromEntries(kept.map(([key, value]) => [key, String(value)]));
}

function textOf(message: Message, property: string): string | undefined {
  const value = message[property];
  if (isEmpty(value)) return undefined;
  if (typeof value === 'string') return value.trim();
  throw new InvalidArgumentError(`msg.${property} is not a text`);
}
