/** As `Promise.all`, but when one fails it waits for the others too: nothing is under way any more when it rejects. */
export async function settleAll<T>(all: Iterable<Promise<T>>): Promise<T[]> {
  const outcomes = await Promise.allSettled(all);
  const failed = outcomes.find((outcome) => outcome.status === 'rejected');
  if (failed) throw failed.reason;
  return outcomes.map((outcome) => (outcome as PromiseFulfilledResult<T>).value);
}
