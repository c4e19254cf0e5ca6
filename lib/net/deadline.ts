/**
 * A promise or a deadline, whichever comes first: the one place that sets such a timer and clears it.
 *
 * @module
 */

/**
 * Settles as `promise` does, or as `late` does where `promise` is still pending after `timeoutMs`. The promise itself
 * goes on; if it rejects later, nobody is told.
 */
export async function withDeadline<T, L>(
  promise: Promise<T>,
  timeoutMs: number,
  late: () => L | Promise<L>,
): Promise<T | L> {
  const { promise: over, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, timeoutMs);
  try {
    return await Promise.race([promise, over.then(late)]);
  } finally {
    clearTimeout(timer);
  }
}

/** Settles as `promise` does, or resolves to undefined as soon as `signal` is aborted. */
export async function untilAborted<T>(
  promise: Promise<T>,
  signal: AbortSignal,
): Promise<T | undefined> {
  if (signal.aborted) return undefined;
  const { promise: over, resolve } = Promise.withResolvers<undefined>();
  const abort = () => resolve(undefined);
  signal.addEventListener("abort", abort);
  try {
    return await Promise.race([promise, over]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

/** Settles as `run` does, whose signal is aborted after `timeoutMs`, or when `outer` is. */
export async function withSignal<T>(
  outer: AbortSignal,
  timeoutMs: number,
  run: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const over = new AbortController();
  const abort = () => over.abort();
  const timer = setTimeout(abort, timeoutMs);
  outer.addEventListener("abort", abort);
  try {
    return await run(over.signal);
  } finally {
    clearTimeout(timer);
    outer.removeEventListener("abort", abort);
  }
}

/** Waits `delayMs`, or until `signal` is aborted. */
export async function pause(delayMs: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, delayMs);
  await untilAborted(promise, signal);
  clearTimeout(timer);
}
