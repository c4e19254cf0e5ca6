/** Words, as lib/page_words.ts and lib/page_state.ts write them on the server: tests/page_test.ts holds the two equal. */

export const STATUSES = ["live", "dead", "unknown", "left", "decommissioned"];

/** "2.1 s ago", "12 min ago"; null is "never". */
export function ageWords(ageMs) {
  if (ageMs === null) return "never";
  const tenths = Math.max(0, Math.floor(ageMs / 100));
  if (tenths < 100) return `${(tenths / 10).toFixed(1)} s ago`;
  if (tenths < 600) return `${Math.floor(tenths / 10)} s ago`;
  if (tenths < 36_000) return `${Math.floor(tenths / 600)} min ago`;
  if (tenths < 48 * 36_000) return `${Math.floor(tenths / 36_000)} h ago`;
  return `${Math.floor(tenths / (24 * 36_000))} d ago`;
}

/** "2026-01-12 12:00:03.250 UTC". */
export function timeWords(time) {
  return time.replace("T", " ").replace(/Z$/, " UTC");
}

/** "2026-01-12 12:00:03 UTC". */
export function secondWords(time) {
  return timeWords(time.replace(/\.\d+Z$/, "Z"));
}

/** The reason without the status it begins with: "left: SIGTERM" is "SIGTERM". */
export function whyWords(status, reason) {
  return reason.startsWith(status) ? reason.slice(status.length).replace(/^:?\s+/, "") : reason;
}

/** "1,024". */
export function numberWords(count) {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ",");
}

/** "64 members", or "12 of 64 members" where the filter hides some. */
export function shownWords(shown, total) {
  const all = `${numberWords(total)} member${total === 1 ? "" : "s"}`;
  return shown === total ? all : `${numberWords(shown)} of ${all}`;
}

/** Whether a member matches every word of the filter: a status, or a part of ID or address. */
export function matches(member, filter) {
  return filter.toLowerCase().split(/\s+/).filter(Boolean).every((word) =>
    STATUSES.includes(word)
      ? member.status === word
      : member.id.toLowerCase().includes(word) || member.address.toLowerCase().includes(word)
  );
}
