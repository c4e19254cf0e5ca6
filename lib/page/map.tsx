/** @jsxImportSource npm:hono@4.13.19/jsx */
/**
 * A large cluster at one glance: a square for each member (cells.ts). static/map.js keeps it live, fits it to the
 * window, and tells whose square is where.
 */
import { groupsOf, pitchOf, strokesOf } from "../../static/squares.js";

/** Pixels of a map that no script has fitted to its window; where there is less room it is drawn smaller. */
const WIDTH_PX = 1_120;

/** The map. Its one link, which the script moves from square to square, is its one stop of the Tab key. */
export function MemberMap({ cells }: { cells: readonly string[] }) {
  const columns = Math.floor(WIDTH_PX / pitchOf(cells.length));
  return (
    <>
      <div
        id="map"
        role="group"
        aria-label="Map of the members: arrow keys lead on"
        hidden={cells.length === 0}
      >
        <div>
          {groupsOf(cells).map(({ name, cells: own }) => (
            <>
              {name !== "" && <Group name={name} />}
              <Squares cells={own} columns={columns} pitch={pitchOf(cells.length)} />
            </>
          ))}
        </div>
        <a id="square" href="./" hidden></a>
      </div>
      <p id="who" role="status" hidden={cells.length === 0}></p>
    </>
  );
}

/** The name of the members that follow; empty: what the script clones. */
export function Group({ name }: { name: string }) {
  return <p class="group">{name}</p>;
}

interface SquaresProps {
  readonly cells: readonly string[];
  readonly columns: number;
  readonly pitch: number;
}

function Squares({ cells, columns, pitch }: SquaresProps) {
  const lines = Math.ceil(cells.length / columns);
  return (
    <svg
      width={columns * pitch}
      height={lines * pitch}
      viewBox={`0 -0.5 ${columns} ${lines}`}
      aria-hidden="true"
    >
      {[...strokesOf(cells, columns)].map(([status, d]) => (
        <path key={status} class={status} d={d} />
      ))}
    </svg>
  );
}
