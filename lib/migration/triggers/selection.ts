import type { ViewedContainer } from './trigger';

/** Whether a container is one of those that are meant. */
export type Selection = (container: ViewedContainer) => boolean;

/**
 * Reads which containers are meant: names, `service=NAME` or `LABEL=VALUE`, by commas; one of them is enough. All when
 * the text is empty.
 */
export function parseSelection(text: string): Selection {
  const items = text
    .split(',')
    .map((item) => item.trim())
    .filter(Boolean);
  if (items.length === 0) return () => true;
  return (container) => items.some((item) => isMeant(item, container));
}

function isMeant(item: string, { name, service, labels }: ViewedContainer): boolean {
  const [key, value] = split(item);
  if (value === undefined) return name === key;
  return key === 'service' ? service === value : labels[key] === value;
}

function split(item: string): [string, string | undefined] {
  const at = item.indexOf('=');
  return at < 0 ? [item, undefined] : [item.slice(0, at).trim(), item.slice(at + 1).trim()];
}
