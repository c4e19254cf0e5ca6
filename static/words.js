// @ts-check
/**
 * Times, numbers and sentences as people read them.
 *
 * The server renders the page with this file and the browser updates it with this file, so it imports nothing and uses
 * nothing but the language itself.
 *
 * @module
 */

/**
 * A length of time in at most two units: "48 s", "12 min", "3 h 12 min", "4 d 7 h".
 *
 * @param {number} ms
 * @returns {string}
 */
export function durationWords(ms) {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return joinUnits(minutes, "min", minutes < 10 ? seconds % 60 : 0, "s");
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return joinUnits(hours, "h", minutes % 60, "min");
  return joinUnits(Math.floor(hours / 24), "d", hours % 24, "h");
}

/**
 * @param {number} major
 * @param {string} majorUnit
 * @param {number} minor
 * @param {string} minorUnit
 * @returns {string}
 */
function joinUnits(major, majorUnit, minor, minorUnit) {
  return minor === 0 ? `${major} ${majorUnit}` : `${major} ${majorUnit} ${minor} ${minorUnit}`;
}

/**
 * An age in one unit, so that a column of ages is quick to read: "2.1 s ago", "12 min ago". Null is "never".
 *
 * @param {number | null} ageMs
 * @returns {string}
 */
export function ageWords(ageMs) {
  if (ageMs === null) return "never";
  const tenths = Math.max(0, Math.floor(ageMs / 100));
  if (tenths < 100) return `${(tenths / 10).toFixed(1)} s ago`;
  if (tenths < 600) return `${Math.floor(tenths / 10)} s ago`;
  if (tenths < 36_000) return `${Math.floor(tenths / 600)} min ago`;
  if (tenths < 48 * 36_000) return `${Math.floor(tenths / 36_000)} h ago`;
  return `${Math.floor(tenths / (24 * 36_000))} d ago`;
}

/**
 * An RFC 3339 time in UTC as people read it: "2026-01-12 12:00:03.250 UTC".
 *
 * @param {string} time
 * @returns {string}
 */
export function timeWords(time) {
  return time.replace("T", " ").replace(/Z$/, " UTC");
}

/**
 * The same to the second: "2026-01-12 12:00:03 UTC".
 *
 * @param {string} time
 * @returns {string}
 */
export function secondWords(time) {
  return timeWords(time.replace(/\.\d+Z$/, "Z"));
}

/**
 * The same without the date of the day `now`: "12:00:03 UTC".
 *
 * @param {string} time
 * @param {string} now
 * @returns {string}
 */
export function clockWords(time, now) {
  return withoutDay(secondWords(time), secondWords(now));
}

/**
 * A time by the clock of whoever runs this, without the date of the day `now`: "13:00:03".
 *
 * @param {string} time
 * @param {string} [now]
 * @returns {string}
 */
export function localWords(time, now) {
  const date = new Date(time);
  if (Number.isNaN(date.getTime())) return time;
  const local = new Date(date.getTime() - 60_000 * date.getTimezoneOffset()).toISOString();
  const words = secondWords(local).replace(" UTC", "");
  return now === undefined ? words : withoutDay(words, localWords(now));
}

/**
 * @param {string} words
 * @param {string} now
 * @returns {string}
 */
function withoutDay(words, now) {
  const [day, ...time] = words.split(" ");
  return day === now.split(" ")[0] ? time.join(" ") : words;
}

/**
 * Whether a member may be forgotten: it is dead, or left.
 *
 * @param {string | undefined} status
 * @returns {boolean}
 */
export function isGone(status) {
  return status === "dead" || status === "left";
}

/**
 * In how much of the time a member was live: "live 99.98 % of 24 h, 99.9 % of 30 d", or of what is known of it.
 *
 * @param {{ day: number | null, month: number | null, knownMs: number }} uptime
 * @returns {string}
 */
export function uptimeWords({ day, month, knownMs }) {
  const dayMs = 24 * 3_600_000;
  if (month === null) return "";
  const longest = knownMs < 29 * dayMs ? `${durationWords(knownMs)} known` : "30 d";
  const words = `${month} % of ${longest}`;
  return day === null || knownMs <= dayMs ? `live ${words}` : `live ${day} % of 24 h, ${words}`;
}

/**
 * How long a state lasted: "for 8 s", or "for 8 s so far" where nothing came after it.
 *
 * @param {string} at
 * @param {string | undefined} next
 * @param {string} now
 * @returns {string}
 */
export function lastedWords(at, next, now) {
  const words = `for ${durationWords(Date.parse(next ?? now) - Date.parse(at))}`;
  return next === undefined ? `${words} so far` : words;
}

/**
 * What a member's history says as a whole: "2 restarts, version 1.0.0".
 *
 * @param {readonly { reason: string }[]} history
 * @param {string} version Empty where it is not known.
 * @returns {string}
 */
export function storyWords(history, version) {
  const restarts = history.filter(({ reason }) => reason.startsWith("restarted")).length;
  const seen = restarts === 0 ? "no restart seen" : countWords(restarts, "restart");
  return version === "" ? seen : `${seen}, version ${version}`;
}

/**
 * The reason without the status it begins with, where the status is shown beside it: "left: SIGTERM" is "SIGTERM".
 *
 * @param {string} status
 * @param {string} reason
 * @returns {string}
 */
export function whyWords(status, reason) {
  return reason.startsWith(status) ? reason.slice(status.length).replace(/^:?\s+/, "") : reason;
}

/**
 * The reason of one change in a member's history; `from` is null for the first.
 *
 * @param {{ from: string | null, to: string, reason: string }} change
 * @returns {string}
 */
export function changeWords({ from, to, reason }) {
  return from === null ? `joined: ${reason}` : whyWords(to, reason);
}

/**
 * That a hook was told of a member: "told pager by n7 at 12:03:11 UTC (200)".
 *
 * @param {{ hook: string, by: string, result: string }} told
 * @param {string} time when, in words
 * @returns {string}
 */
export function toldWords({ hook, by, result }, time) {
  return `told ${hook} by ${by} at ${time}${result && ` (${result})`}`;
}

/**
 * With commas at the thousands: "1,024".
 *
 * @param {number} count
 * @returns {string}
 */
export function numberWords(count) {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ",");
}

/**
 * "1 member", "1,024 members".
 *
 * @param {number} count
 * @param {string} noun
 * @returns {string}
 */
export function countWords(count, noun) {
  return `${numberWords(count)} ${noun}${count === 1 ? "" : "s"}`;
}

/**
 * "64 members", or "12 of 64 members" where the filter hides some.
 *
 * @param {number} shown
 * @param {number} total
 * @returns {string}
 */
export function shownWords(shown, total) {
  const all = countWords(total, "member");
  return shown === total ? all : `${numberWords(shown)} of ${all}`;
}

/**
 * The members of a page's list, with those before and after the rows that it has.
 *
 * @param {{ rows: readonly unknown[], before: number, more: { rows: number } }} state
 * @returns {number}
 */
export function matchCount({ rows, before, more }) {
  return before + rows.length + more.rows;
}

/**
 * The number of members, which the decommissioned no longer are.
 *
 * @param {Readonly<Record<string, number>>} counts How many there are in each status.
 * @returns {number}
 */
export function memberCount({ decommissioned: _, ...counts }) {
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}
