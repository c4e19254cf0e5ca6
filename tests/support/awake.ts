/** The clock of a node that has just started, and never slept nor ran late. */
export const AWAKE = {
  monotonicMs: 0,
  sleptMs: 0,
  missedMs: 0,
  uncountedMs: 0,
  isWaking: false,
  longSleepMs: -Infinity,
};
