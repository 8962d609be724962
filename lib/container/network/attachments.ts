import { readlinkSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { PublishedPort } from '../container';
import type { ContainerFolder } from '../paths';
import type { ProcessIdentity } from '../runtime/process-identity';
import { ATTACHMENTS } from './settings';

/** The names under which the other containers of its data directory find a container. */
export interface ContainerNames {
  name: string;
  hostname: string;
  service?: string | undefined;
}

/**
 * A container on the bridge. Written before anything is taken for it and removed after all was given back, so that
 * whoever finds it after a crash knows what there may be to clean.
 */
export interface Attachment {
  id: string;
  /** The container's folder. */
  folder: string;
  names: ContainerNames;
  ports: Required<PublishedPort>[];
  /** Its first process. */
  process: ProcessIdentity;
  /** The network namespace of the host in which bridge and rules are. */
  hostNamespace: string;
  /** Milliseconds since 1970. */
  since: number;
  /** On the bridge, once it has one. */
  address?: string;
}

const FILE = /^([0-9a-f]+)\.json$/;

export async function writeAttachment(attachment: Attachment): Promise<void> {
  await mkdir(ATTACHMENTS, { recursive: true, mode: 0o700 });
  const file = fileOf(attachment.id);
  // No sync: it ends with the boot, as what it tells of.
  await writeFile(`${file}.tmp`, JSON.stringify(attachment), { mode: 0o600 });
  await rename(`${file}.tmp`, file);
}

export async function readAttachment(id: string): Promise<Attachment | undefined> {
  const text = await readFile(fileOf(id), 'utf8').catch(() => undefined);
  return text === undefined ? undefined : (JSON.parse(text) as Attachment);
}

export async function removeAttachment(id: string): Promise<void> {
  await rm(fileOf(id), { force: true });
}

/** All of this machine, in the order in which they came. */
export async function allAttachments(): Promise<Attachment[]> {
  const files = await readdir(ATTACHMENTS).catch(() => []);
  const ids = files.map((file) => FILE.exec(file)?.[1]).filter((id) => id !== undefined);
  const attachments = await Promise.all(ids.map(readAttachment));
  return attachments
    .filter((attachment) => attachment !== undefined)
    .sort((a, b) => a.since - b.since || (a.id < b.id ? -1 : 1));
}

/** Whether two containers, or a container and a folder of containers, belong to the same data directory. */
export function isOf(attachment: Attachment, containers: string): boolean {
  return dirname(attachment.folder) === containers;
}

/** How errors call a container of another data directory. */
export function otherContainer({ names, folder }: Attachment): string {
  return `container ${names.name} of the data directory ${dirname(dirname(folder))}`;
}

/** @returns the container's id */
export function idOf(folder: ContainerFolder): string {
  return basename(folder.path);
}

/** Programs in another network namespace have other bridges and other rules under the same names. */
export function hostNamespace(): string {
  return readlinkSync('/proc/self/ns/net');
}

function fileOf(id: string): string {
  return join(ATTACHMENTS, `${id}.json`);
}
