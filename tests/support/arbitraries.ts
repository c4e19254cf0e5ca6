/** What fast-check draws IDs, addresses and rows from. */
import fc from "fast-check";
import { type About, takeAbout, writeAbout } from "../../lib/about.ts";
import { normalizeAddress } from "../../lib/address.ts";
import {
  AGE_MAX_MS,
  BOOT_LENGTH,
  HEARTBEAT_MAX_MS,
  HEARTBEAT_STEP_MS,
  REASON_LENGTH_MAX,
} from "../../lib/limits.ts";
import type { Quiet } from "../../lib/quiets.ts";
import { type Report, STATUSES } from "../../lib/table.ts";
import type { Told } from "../../lib/told.ts";
import { type Try, TRY_STATES } from "../../lib/tries.ts";

/** Any ID. */
export const fcId: fc.Arbitrary<string> = fc.stringMatching(/^[A-Za-z0-9._:-]{1,64}$/);

/** Any address, in its one spelling. */
export const fcAddress: fc.Arbitrary<string> = fc.oneof(
  fc.tuple(fc.domain(), port()).map(([host, port]) => `${host}:${port}`),
  fc.tuple(fc.ipV4(), port()).map(([host, port]) => `${host}:${port}`),
  fc.tuple(fc.ipV6(), port()).map(([host, port]) => `[${host}]:${port}`),
).map((text) => normalizeAddress(text)).filter((address) => address !== undefined);

/** Any heartbeat, 0 (never heard) among them. */
export const fcHeartbeat: fc.Arbitrary<number> = fc
  .nat({ max: HEARTBEAT_MAX_MS / HEARTBEAT_STEP_MS })
  .map((steps) => steps * HEARTBEAT_STEP_MS);

/** Any age, in whole ms. */
export const fcAgeMs: fc.Arbitrary<number> = fc.nat({ max: AGE_MAX_MS });

/** A boot mark, or none, as a Go node has. */
const fcBoot: fc.Arbitrary<string> = fc.oneof(
  fc.stringMatching(new RegExp(`^[0-9a-f]{${BOOT_LENGTH}}$`)),
  fc.constant(""),
);

/** What a member may say of itself, a later program's words among it. */
export const fcAbout: fc.Arbitrary<About | undefined> = fc.oneof(
  fc.record({
    tags: fc.dictionary(
      fc.stringMatching(/^[A-Za-z][A-Za-z0-9_-]{0,9}$/),
      fc.stringMatching(/^[!-~]{1,20}$/),
      { maxKeys: 3 },
    ),
    ports: fc.dictionary(fc.stringMatching(/^[a-z]{1,9}$/), port(), { maxKeys: 3 }),
    failing: fc.string({ unit: "grapheme", maxLength: 200 }),
    unchecked: fc.boolean(),
    warning: fc.string({ unit: "grapheme", maxLength: 200 }),
    hooks: fc.uniqueArray(fc.stringMatching(/^[a-z]{1,9}$/), { maxLength: 2 }),
  }).map(writeAbout),
  fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 2 }), { maxKeys: 4 }).map(takeAbout),
);

/** Any report of a member that may stand on the wire. */
export const fcReport: fc.Arbitrary<Report> = fc.record({
  id: fcId,
  address: fc.oneof(fcAddress, fc.constant("")),
  boot: fcBoot,
  heartbeat: fcHeartbeat,
  ageMs: fcAgeMs,
  left: fc.stringMatching(new RegExp(`^[A-Za-z0-9 ._-]{0,${REASON_LENGTH_MAX}}$`)),
  about: fc.oneof(fc.constant(undefined), fcAbout),
});

function port(): fc.Arbitrary<number> {
  return fc.integer({ min: 1, max: 65_535 });
}

const fcHook = fc.stringMatching(/^[A-Za-z][A-Za-z0-9_-]{0,9}$/);

/** A change that somebody was told of. */
export const fcTold: fc.Arbitrary<Told> = fc.record({
  hook: fcHook,
  id: fcId,
  boot: fcBoot,
  to: fc.constantFrom(...STATUSES),
  heartbeat: fcHeartbeat,
  step: fc.nat(9),
  by: fcId,
  ageMs: fcAgeMs,
  together: fc.nat(99),
  result: fc.stringMatching(/^[A-Za-z0-9 ._:-]{0,24}$/),
});

/** A sign of an attempt to tell. */
export const fcTry: fc.Arbitrary<Try> = fc.record({
  hook: fcHook,
  number: fc.nat(99),
  by: fcId,
  state: fc.constantFrom(...TRY_STATES),
  failures: fc.nat(99),
  ageMs: fcAgeMs,
});

/** A quiet about members. */
export const fcQuiet: fc.Arbitrary<Quiet> = fc.record({
  pattern: fc.stringMatching(/^[a-z*]{1,9}$/),
  leftMs: fc.nat(1e6),
  by: fcId,
  why: fc.stringMatching(/^[a-z]{0,9}$/),
  stamp: fc.nat(1e9),
  keptMs: fc.nat(1e6),
}, { requiredKeys: ["pattern", "leftMs", "by", "why", "stamp"] });
