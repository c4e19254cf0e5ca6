/** Bounds that hold in several places, each with its reason. Bounds with one user are declared beside it. */

/** The cluster of nodes that are given no name, Go nodes among them. */
export const DEFAULT_CLUSTER = "default";

/** Rows in the table: far above the intended few thousand, and about 30 MB of heap when full. */
export const MEMBERS_MAX = 65_536;

/** Tombstones are permanent, so they are bounded apart from members: rows of strangers cannot push one out. */
export const TOMBSTONES_MAX = 65_536;

/**
 * Addresses without an ID: seeds, and what Go nodes list. A Go cluster of that size is past what Go nodes can carry.
 */
export const CONTACTS_MAX = 1_024;

/** Bytes of a `/hello` body, either way: a full table of ordinary rows, which a node can parse in a moment. */
export const BODY_BYTES_MAX = 8 * 1024 * 1024;

/** Bytes of a form: an ID and a key. */
export const FORM_BYTES_MAX = 4_096;

/** Bytes of rows in one message: half a body, since columns and tombstones may travel with them. */
export const ROWS_BYTES_MAX = 4 * 1024 * 1024;

/**
 * Bytes that a value in a row's words counts, at least: `[],[],` would be many more values than 4 MiB of what members
 * say, and each costs its reader time and memory.
 */
export const VALUE_BYTES = 4;

/** Bytes of tombstones in one message: a quarter of a body; all of them, with long IDs, would be more than a body. */
export const TOMBSTONES_BYTES_MAX = 2 * 1024 * 1024;

/**
 * Heartbeats are stamps in whole tenths of a second, so that the difference of two fits a byte or two on the wire and
 * still compares exactly; finer would buy nothing at intervals of 200 ms and more.
 */
export const HEARTBEAT_STEP_MS = 100;

/** The longest interval that can be asked for, in ms: with a longer one, news would take minutes to spread. */
export const INTERVAL_MAX_MS = 60_000;

/** The last heartbeat that can be written as an RFC 3339 time: the end of the year 9999. */
export const HEARTBEAT_MAX_MS = 253_402_300_799_900;

/** An age beyond a year says no more than a year does. */
export const AGE_MAX_MS = 366 * 24 * 3_600_000;

/** Characters of the word that says why a member left ("SIGTERM"): enough for a signal's name or a short cause. */
export const REASON_LENGTH_MAX = 32;

/** Characters of a boot mark: 32 random bits in hex tell two processes with one ID apart. */
export const BOOT_LENGTH = 8;
