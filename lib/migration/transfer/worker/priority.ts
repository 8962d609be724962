import { getPriority, setPriority } from 'node:os';

/** Beside a thread of the usual priority, one with this gets a quarter of a processor (sched(7)). */
const YIELDING = 5;

const usual = getPriority();
let current = usual;

/** While a container runs it comes before the thread that looks at its memory. On Linux a priority is a thread's own. */
export function yieldToOthers(): void {
  change(Math.min(19, usual + YIELDING));
}

/** A container stands still and waits for this thread. */
export function hurry(): void {
  change(usual);
}

function change(priority: number): void {
  // Who may not take it back, which is anybody but root, must not give it away.
  if (priority === current || process.getuid?.() !== 0) return;
  setPriority(priority);
  current = priority;
}
