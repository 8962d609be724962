import { InvalidArgumentError } from '../../lib/base';
import type { ContainerSpec } from '../../lib/container';
import type { OperatorBody } from '../../lib/placement';
import { commandWords } from '../deploy-container/settings';
import type { Translate } from '../feedback';

/** What the dialog holds where the operator is a container. */
export interface ProgramSettings {
  image?: string;
  /** As in a shell; empty for the image's own. */
  command?: string;
  /** A variable in each line, as NAME=value. */
  environment?: string;
  /** A folder of the container that moves along. */
  keeps?: string;
  /** Whether it may reach networks through the bridge of its host. */
  network?: boolean;
  /** When a message is done. */
  done?: string;
}

/** What of the operator runs as a container. */
export type Program = Extract<OperatorBody, { kind: 'container' }>;

/** @throws {InvalidArgumentError} */
export function programOf(settings: ProgramSettings, translate: Translate): Program {
  const refuse = (word: string) => new InvalidArgumentError(translate(`place-operator.invalid.${word}`));
  const image = settings.image?.trim() ?? '';
  if (image === '') throw refuse('image');
  const keeps = settings.keeps?.trim() ?? '';
  if (keeps !== '' && !/^\/./.test(keeps)) throw refuse('keeps');
  const command = commandWords(settings.command ?? '');
  const spec: ContainerSpec = {
    image,
    ...(command && { command }),
    env: variables(settings.environment ?? '', () => refuse('environment')),
    network: settings.network === true ? 'bridge' : 'none',
    ...(keeps !== '' && { mounts: [{ type: 'volume', source: 'data', target: keeps }] }),
  };
  return { kind: 'container', spec, done: settings.done === 'answered' ? 'answered' : 'read' };
}

/** `ghcr.io/team/count:2` is called count. */
export function nameOfImage(image: string): string {
  return image.replace(/^.*[/]/, '').replace(/[:@].*$/, '');
}

function variables(text: string, refuse: () => InvalidArgumentError): Record<string, string> {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  return Object.fromEntries(
    lines.map((line) => {
      const [, name, value] = /^\s*([^\s=]+)=(.*)$/.exec(line) ?? [];
      if (name === undefined) throw refuse();
      return [name, value!];
    }),
  );
}
