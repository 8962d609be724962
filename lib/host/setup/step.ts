/** One thing that is to be done, said before it is done. */
export interface Step {
  /** As in "will ...". */
  what: string;
  run(): Promise<void>;
}

/** Does them in order, and says each before it begins. */
export async function runSteps(
  steps: Step[],
  say: (line: string) => void,
  signal?: AbortSignal,
): Promise<void> {
  for (const { what, run } of steps) {
    signal?.throwIfAborted();
    say(what);
    await run();
  }
}
