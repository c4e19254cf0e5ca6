import { assertEquals } from "@std/assert";
import {
  changeLine,
  isTrouble,
  painter,
  sorted,
  storyText,
  tableLines,
} from "../../lib/cli/show.ts";
import { missed } from "../../lib/cli/watch.ts";
import type { ListedMember } from "../../lib/report/members.ts";
import { type Status, STATUSES } from "../../lib/table.ts";

const PLAIN = painter(false);
const AT = "2026-01-12T23:39:06.417Z";

function member(id: string, status: string, reason: string | null = "why"): ListedMember {
  const address = `${id}:8080`;
  const heard = { lastHeartbeat: AT, ageMs: 700, since: AT };
  return {
    id,
    address,
    status: status as Status,
    reason,
    remark: null,
    tags: {},
    ports: {},
    ...heard,
  };
}

Deno.test("sorted() puts trouble first, then by ID; a status that is not known yet is trouble", () => {
  const mixed = ["left", "live", "novel", "dead"].flatMap((status) => [
    member(`b-${status}`, status),
    member(`a-${status}`, status),
  ]);
  assertEquals(sorted(mixed).map(({ id }) => id), [
    ...["a-novel", "b-novel", "a-dead", "b-dead"],
    ...["a-live", "b-live", "a-left", "b-left"],
  ]);
});

Deno.test("isTrouble() are the statuses before live", () => {
  const trouble = STATUSES.filter(isTrouble);
  assertEquals(trouble, STATUSES.slice(0, STATUSES.indexOf("live")));
  assertEquals(isTrouble("novel" as Status), true);
});

Deno.test("tableLines() aligns, paints the status alone, and cuts before it paints", () => {
  const members = [member("n3", "dead"), member("n1", "live"), member("live", "left")];
  const lines = [
    "ID    STATUS  HEARD      ADDRESS    WHY",
    "n3    dead    0.7 s ago  n3:8080    why",
    "n1    live    0.7 s ago  n1:8080    why",
    "live  left    0.7 s ago  live:8080  why",
  ];
  assertEquals(tableLines(members, { paint: PLAIN }), lines);
  const painted = tableLines(members, { paint: painter(true), columns: 8 });
  assertEquals(painted, [
    "ID    ST",
    "n3    \x1b[31mde\x1b[0m",
    "n1    \x1b[32mli\x1b[0m",
    "live  \x1b[2mle\x1b[0m",
  ]);
});

Deno.test("storyText() tells status, since when, why, and the last changes", () => {
  const change = { id: "n3", address: "n3:8080", at: AT, tags: {}, event: 1 };
  const history = [
    { ...change, from: null, to: "live", reason: "heard directly" },
    { ...change, from: "live", to: "dead", reason: "connection refused, witnessed by n1" },
  ] as const;
  const reason = "connection refused, witnessed by n1";
  assertEquals(
    storyText(
      {
        ...member("n3", "dead", reason),
        uptime: { day: 99.5, month: 98, knownMs: 2_592_000_000 },
        history,
        told: [{
          hook: "pager",
          to: "dead",
          by: "n2",
          at: "2026-01-12T23:39:07.100Z",
          result: "200",
        }],
      },
      PLAIN,
    ),
    `n3 is dead since 2026-01-12 23:39:06 UTC
  why      connection refused, witnessed by n1
  address  n3:8080
  heard    0.7 s ago
  uptime   live 99.5 % of 24 h, 98 % of 30 d

2026-01-12 23:39:06.417 UTC  live  joined: heard directly
2026-01-12 23:39:06.417 UTC  dead  connection refused, witnessed by n1

told pager by n2 at 2026-01-12 23:39:07 UTC (200)
`,
  );
  const unknown = { ...member("n4", "unknown", null), address: "", ageMs: null, since: null };
  assertEquals(
    storyText(
      { ...unknown, uptime: { day: null, month: null, knownMs: 0 }, history: [], told: [] },
      PLAIN,
    ),
    "n4 is unknown\n  why      not known\n  address  not known\n  heard    never\n",
  );
  const uptime = { day: null, month: null, knownMs: 0 };
  assertEquals(
    storyText({ ...unknown, uptime, history: history.slice(0, 1), told: [] }, PLAIN).split("\n")
      .slice(-3),
    ["", "2026-01-12 23:39:06.417 UTC  live  joined: heard directly", ""],
    "a blank line before a single change as well",
  );
  const long = Array.from({ length: 1_000 }, () => history[0]);
  assertEquals(
    storyText(
      {
        ...member("n3", "dead"),
        uptime: { day: 1, month: 1, knownMs: 1 },
        history: long,
        told: [],
      },
      PLAIN,
    )
      .split("\n").length,
    57,
  );
});

Deno.test("changeLine() is one line of words, with '-' for what is missing", () => {
  const change = { id: "n3", from: "live", to: "dead", at: AT, reason: "no heartbeat" } as const;
  const address = "n3:8080";
  assertEquals(changeLine({ ...change, address }), `${AT} n3 live dead n3:8080 no heartbeat\n`);
  assertEquals(
    changeLine({ ...change, from: null, address: "" }),
    `${AT} n3 - dead - no heartbeat\n`,
  );
});

Deno.test("missed() tells between two snapshots who is new or has another status", () => {
  const members = [member("n1", "live"), member("n2", "dead"), member("n3", "live")];
  const known = new Map<string, Status>([["n1", "live"], ["n2", "live"], ["n9", "live"]]);
  assertEquals(missed(members, known).map(changeLine), [
    `${AT} n2 live dead n2:8080 why\n`,
    `${AT} n3 - live n3:8080 why\n`,
  ]);
});
