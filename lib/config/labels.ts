/**
 * What a member says of itself from its start: `-tag` and `-port-of`. (pure)
 *
 * @module
 */
import {
  byName,
  isLabel,
  isTagValue,
  LABEL_LENGTH_MAX,
  LABELS_BYTES_MAX,
  labelsFit,
  type Said,
} from "../about.ts";
import { PORT_MAX } from "../address.ts";
import { quote } from "../text.ts";
import { type FlagTable, type FlagValues, readEach, UsageError } from "./flags.ts";

/** Tags of one member, or words by which a query narrows the table. */
const TAGS_MAX = 16;

export const LABEL_FLAGS = {
  "tag": {
    metavar: "KEY=VALUE",
    help: "what this node is, such as role=web; repeat it for more",
    default: "",
    repeats: true,
    read: readTags,
  },
  "port-of": {
    metavar: "NAME=PORT",
    help: "port of another service of this host, such as web=3000; repeat it for more",
    default: "",
    repeats: true,
    read: readPorts,
  },
} as const satisfies FlagTable;

/** Tags and ports by name. */
export interface Labels {
  readonly tags: Readonly<Record<string, string>>;
  readonly ports: Readonly<Record<string, number>>;
}

/** The checks that need both flags, and the names of the hooks that travel with them. */
export function labelsOf(
  values: Readonly<FlagValues<typeof LABEL_FLAGS>>,
  hooks: readonly string[],
): Labels {
  const labels = { tags: values.tag, ports: values["port-of"] };
  if (labelsFit({ ...labels, hooks })) return labels;
  throw new UsageError(
    "Cannot use so many -tag and -port-of, and names of -on-change: together they may have " +
      `${LABELS_BYTES_MAX} bytes of JSON`,
  );
}

/**
 * Tags after a change: those of `set` are added or take the place of their former values, those named in `unset` go.
 *
 * @throws {UsageError} where there would be too many.
 */
export function changedTags(
  { tags, ports, hooks }: Labels & Pick<Said, "hooks">,
  change: { set: Readonly<Record<string, string>>; unset: readonly string[] },
): Labels["tags"] {
  const kept = Object.entries({ ...tags, ...change.set }).filter(([key]) =>
    !change.unset.includes(key)
  );
  if (kept.length > TAGS_MAX) throw new UsageError(`a node has at most ${TAGS_MAX} tags`);
  return labelsOf({ "tag": byName(kept), "port-of": ports }, hooks).tags;
}

/** `-tag`: `KEY=VALUE`, several with blanks or line ends between them; values have neither. */
export function readTags(text: string): Record<string, string> {
  return readPairs(text, (value) => {
    if (isTagValue(value)) return value;
    throw new UsageError(
      `give as value 1 to ${LABEL_LENGTH_MAX} printable ASCII characters without blanks, such as role=web`,
    );
  });
}

/** `-port-of`: `NAME=PORT`. */
function readPorts(text: string): Record<string, number> {
  return readPairs(text, (value) => {
    const port = Number(value);
    if (/^[0-9]{1,5}$/.test(value) && port > 0 && port <= PORT_MAX) return port;
    throw new UsageError(`give a port from 1 to ${PORT_MAX}, such as web=3000`);
  });
}

function readPairs<T>(text: string, read: (value: string) => T): Record<string, T> {
  const pairs = new Map<string, T>();
  readEach(text.split(/\s+/).filter(Boolean), (pair) => {
    const at = pair.indexOf("=");
    const name = pair.slice(0, at);
    if (at < 0 || !isLabel(name)) {
      throw new UsageError(
        "give NAME=VALUE, the name a letter and at most 62 letters, digits, - and _",
      );
    }
    if (pairs.has(name)) throw new UsageError(`give ${quote(name)} once`);
    pairs.set(name, read(pair.slice(at + 1)));
  });
  if (pairs.size > TAGS_MAX) throw new UsageError(`give at most ${TAGS_MAX}`);
  return byName(pairs);
}
