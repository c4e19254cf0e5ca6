/**
 * How long an exchange may take. (pure)
 *
 * @module
 */

/**
 * A whole exchange must be over in this time, or the partner counts as silent: within an interval, so that the next
 * round finds its address free again. Intervals over 1 s give it longer: such clusters are large, and an answer given
 * up at a busy seed is asked for again, which keeps it busy.
 */
const EXCHANGE_TIMEOUT_MS = 900;
const EXCHANGE_TIMEOUT_MAX_MS = 5_000;
const EXCHANGE_TIMEOUT_SHARE = 0.9;

/** Ms that a whole exchange may take. */
export function exchangeTimeoutMs(intervalMs: number): number {
  const timeoutMs = Math.min(EXCHANGE_TIMEOUT_SHARE * intervalMs, EXCHANGE_TIMEOUT_MAX_MS);
  return Math.max(timeoutMs, EXCHANGE_TIMEOUT_MS);
}
