/**
 * How a node that joins a large cluster gets its first table: a piece from its seed, which also tells whom to ask, and
 * the others from as many members. So a seed does not send 750 KB to each that joins.
 *
 * A piece is the members and tombstones of some buckets (buckets.ts). Whoever is asked for one is told hashes as the
 * seed has them for all other buckets, as if this node had them already.
 *
 * @module
 */
import { bucketOf, BUCKETS, NO_BUCKETS } from "./buckets.ts";
import { shuffle } from "./partners.ts";
import type { Replica } from "./replica.ts";
import type { Row } from "./table.ts";
import type { Draft, Message } from "./wire.ts";

/** Members of a piece, as a multiple of those above which ticks travel: 512 rows are 40 KB. */
const PIECE_SHARE = 2;

/** Pieces after the first, and so calls at once of a node that joins: half of what may be under way. */
const PIECES_MAX = 32;

/** Asks for a first table: a small one whole, of a large one a piece. */
export function joinDraft({ table }: Replica): Draft {
  return { roster: table.rosterHash, rows: [], full: true, buckets: NO_BUCKETS };
}

/**
 * Who is in the first piece of a table, which begins at `start`, a share of all; undefined where that is all of it. The
 * teller is, so that there is always somebody to ask.
 */
export function firstPiece(
  { id: ownId, table, fineMembersMax }: Replica,
  start: number,
): ((id: string) => boolean) | undefined {
  const width = Math.floor(
    BUCKETS * PIECE_SHARE * fineMembersMax / (table.size + table.tombstoneCount),
  );
  if (width >= BUCKETS) return undefined;
  const first = Math.floor(start * BUCKETS);
  const isNear = (id: string) => (bucketOf(id) - first + BUCKETS) % BUCKETS < Math.max(width, 1);
  return (id) => id === ownId || isNear(id);
}

/** The calls for all other pieces, after a first one was merged; none where it says of no others. */
export function otherPieces(
  { id: ownId, table, evidence }: Replica,
  { theirs, nowMs, random }: { theirs: Message; nowMs: number; random: () => number },
): { to: string; draft: Draft }[] {
  if (theirs.buckets === undefined) return [];
  const own = table.buckets;
  const missing = [...theirs.buckets.keys()].filter((i) => own[i] !== theirs.buckets![i]);
  const isAsked = (row: Row | undefined): row is Row =>
    row !== undefined && row.id !== ownId && row.boot !== "" && row.left === "" &&
    row.heartbeat > 0 && !evidence.isSuspect(row, nowMs);
  const told = (theirs.rows ?? []).map(({ id }) => table.get(id));
  const others = told.filter(isAsked).filter(({ id }) => id !== theirs.id);
  // Its seed has done its share, unless it is the only one.
  const asked = others.length > 0 ? shuffle(others, random) : told.filter(isAsked);
  const held = theirs.buckets.filter((hash) => hash !== 0).length - missing.length;
  const pieces = Math.min(PIECES_MAX, asked.length, Math.ceil(missing.length / Math.max(held, 1)));
  return asked.slice(0, pieces).map(({ address }, piece) => {
    const buckets = theirs.buckets!.slice();
    for (const [n, i] of missing.entries()) if (n % pieces === piece) buckets[i] = own[i]!;
    return { to: address, draft: { roster: table.rosterHash, buckets } };
  });
}
