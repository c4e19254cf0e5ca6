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
import type { Report } from "./table.ts";
import type { Draft, Message } from "./wire.ts";

/** Members of a piece, as a multiple of those above which ticks travel: 512 rows are 40 KB. */
const PIECE_SHARE = 2;

/** Pieces after the first, and so calls at once of a node that joins: half of what may be under way. */
const PIECES_MAX = 32;

/** Who is not known to have beaten for longer, in ms, is not asked: it may be gone. */
const ASKED_AGE_MAX_MS = 3_000;

/** Asks for a first table: a small one whole, of a large one a piece. */
export function joinDraft({ table }: Replica): Draft {
  return { roster: table.rosterHash, rows: [], full: true, buckets: NO_BUCKETS };
}

/** Who is in the first piece of a table, which begins at `start`, a share of all; undefined where that is all of it. */
export function firstPiece(
  { table, fineMembersMax }: Replica,
  start: number,
): ((id: string) => boolean) | undefined {
  const width = Math.floor(
    BUCKETS * PIECE_SHARE * fineMembersMax / (table.size + table.tombstoneCount),
  );
  if (width >= BUCKETS) return undefined;
  const first = Math.floor(start * BUCKETS);
  return (id) => (bucketOf(id) - first + BUCKETS) % BUCKETS < Math.max(width, 1);
}

/** The calls for all other pieces, after a first one was merged; none where it says of no others. */
export function otherPieces(
  { id: ownId, table, unitMs }: Replica,
  { theirs, random }: { theirs: Message; random: () => number },
): { to: string; draft: Draft }[] {
  if (theirs.buckets === undefined) return [];
  const own = table.buckets;
  const missing = [...theirs.buckets.keys()].filter((i) => own[i] !== theirs.buckets![i]);
  const isAsked = ({ id, address, boot, left, heartbeat, ageMs }: Report) =>
    id !== ownId && address !== "" && boot !== "" && left === "" && heartbeat > 0 &&
    ageMs < ASKED_AGE_MAX_MS;
  const asked = shuffle((theirs.rows ?? []).filter(isAsked), random);
  const held = theirs.buckets.filter((hash) => hash !== 0).length - missing.length;
  const pieces = Math.min(PIECES_MAX, asked.length, Math.ceil(missing.length / Math.max(held, 1)));
  return asked.slice(0, pieces).map(({ address }, piece) => {
    const buckets = theirs.buckets!.slice();
    for (const [n, i] of missing.entries()) if (n % pieces === piece) buckets[i] = own[i]!;
    return { to: address, draft: { roster: table.rosterHash, buckets } };
  });
}
