/** How often each value, as canonical JSON, occurs. */
export type Occurrences = Map<string, number>;

export function addOccurrence(occurrences: Occurrences, text: string): void {
  occurrences.set(text, (occurrences.get(text) ?? 0) + 1);
}

export function removeOccurrence(occurrences: Occurrences, text: string): void {
  const left = (occurrences.get(text) ?? 0) - 1;
  if (left > 0) occurrences.set(text, left);
  else occurrences.delete(text);
}
