/**
 * The text form of `/hello`: what the first gossiper's Go nodes speak, and what a person reads with curl.
 *
 *     hello n1                  who speaks
 *     n1 n2 n3                  the IDs known and not decommissioned
 *     n9                        the decommissioned ones
 *     host1:8080                the speaker's own address, then all others it knows
 *     host2:8080
 *
 * @module
 */
import { isId, normalizeAddress } from "./address.ts";
import { CONTACTS_MAX, MEMBERS_MAX, TOMBSTONES_MAX } from "./limits.ts";
import type { WireError } from "./wire.ts";

export interface Hello {
  readonly id: string;
  readonly ids: readonly string[];
  readonly tombstones: readonly string[];
  /** The speaker's own address first. */
  readonly addresses: readonly string[];
}

/** Writes the text form; every line ends in a line feed, an empty list is an empty line. */
export function formatHello(hello: Hello): string {
  const lines = [`hello ${hello.id}`, hello.ids.join(" "), hello.tombstones.join(" ")];
  return [...lines, ...hello.addresses].join("\n") + "\n";
}

/**
 * Reads a Go node's text. Its known faults are harmless here: it leaves itself out of line 2, lists decommissioned IDs
 * there too, and doubles blanks in line 3. IDs and addresses outside the grammar are dropped and counted.
 */
export function parseHello(text: string): (Hello & { readonly dropped: number }) | WireError {
  const [first = "", second = "", third = "", ...rest] = text.split("\n");
  const id = first.startsWith("hello ") ? first.slice("hello ".length).trim() : "";
  if (!isId(id)) return { error: "the text does not begin with 'hello ' and an ID" };
  const ids = readTokens(second.split(" "), readId, MEMBERS_MAX);
  const tombstones = readTokens(third.split(" "), readId, TOMBSTONES_MAX);
  const addresses = readTokens(rest, normalizeAddress, MEMBERS_MAX + CONTACTS_MAX);
  return {
    id,
    ids: ids.values,
    tombstones: tombstones.values,
    addresses: addresses.values,
    dropped: ids.dropped + tombstones.dropped + addresses.dropped,
  };
}

function readTokens(
  tokens: string[],
  read: (token: string) => string | undefined,
  max: number,
): { values: string[]; dropped: number } {
  const values: string[] = [];
  let dropped = 0;
  for (const token of tokens) {
    const text = token.trim();
    if (text === "") continue;
    const value = values.length < max ? read(text) : undefined;
    if (value === undefined) dropped++;
    else values.push(value);
  }
  return { values, dropped };
}

function readId(text: string): string | undefined {
  return isId(text) ? text : undefined;
}
