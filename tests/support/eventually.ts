/** How long a condition may take on a busy machine; a healthy run needs a small part of it. */
const DEADLINE_MS = 20_000;

/** The wait between two looks. */
const LOOK_EVERY_MS = 10;

/**
 * Waits until `assertion` holds, looking again and again; throws its last error at the deadline, which says what
 * was last seen.
 */
export async function eventually<T>(
  assertion: () => T | Promise<T>,
  { withinMs = DEADLINE_MS }: { withinMs?: number } = {},
): Promise<T> {
  const deadlineMs = performance.now() + withinMs;
  for (;;) {
    try {
      return await assertion();
    } catch (error) {
      if (performance.now() >= deadlineMs) {
        const seen = error instanceof Error ? error.message : String(error);
        throw new Error(`Still not so after ${withinMs} ms. Last seen: ${seen}`, { cause: error });
      }
    }
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
}

/** Waits for `promise`; throws at the deadline, with what `describe` then says. */
export async function within<T>(promise: Promise<T>, describe: () => string): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => reject(new Error(`Still not so after ${DEADLINE_MS} ms: ${describe()}`)),
    DEADLINE_MS,
  );
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
