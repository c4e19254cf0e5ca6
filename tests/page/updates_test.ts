import fc from "fast-check";
import { assert, assertEquals } from "@std/assert";
import { pageState } from "../../lib/page/content.ts";
import { STATES_LENGTH_MAX, STATES_MAX, Updates } from "../../lib/page/updates.ts";
import { complete } from "../../static/updates.js";
import { STATUSES } from "../../lib/table.ts";
import { member, type PageMember, view } from "./views.ts";

const NOW = "2026-01-12T12:00:00.000Z";

/** A node that is looked at, whose members and clock a test changes. */
function open() {
  const at = { nowMs: 0, version: 1, now: NOW, members: [] as PageMember[] };
  const updates = new Updates(() => at.nowMs);
  /** What a page is told that has the state `base`. */
  const look = (base?: string, filter = "") => {
    at.nowMs += 10_000;
    const text = updates.write(
      { base, key: filter, version: `v${at.version}` },
      () => pageState(view(at.members, { now: at.now }), { filter }),
    );
    return JSON.parse(text);
  };
  return { at, updates, look };
}

function some(count: number): PageMember[] {
  return Array.from({ length: count }, (_, i) => member(`n${100 + i}`));
}

Deno.test("a page that has nothing is told all, with the token of the state", () => {
  const { at, look } = open();
  at.members = some(3);
  const { rows, token, base, heard } = look();
  assertEquals(rows.map(({ id }: PageMember) => id), ["n100", "n101", "n102"]);
  assertEquals([typeof token, base, heard], ["string", undefined, undefined]);
});

Deno.test("of rows that stay as they are only the ages of those that beat are told", () => {
  const { at, look } = open();
  at.members = [member("d", "dead"), member("f", "failing"), member("n1")];
  const { token } = look();
  at.now = "2026-01-12T12:00:01.000Z";
  at.members = at.members.map((each) =>
    each.status === "dead"
      ? { ...each, ageMs: 3_100 }
      : { ...each, ageMs: 400, lastHeartbeat: "2026-01-12T12:00:00.500Z" }
  );
  const { rows, heard, base } = look(token);
  assertEquals([rows, heard, base], [[[0, 3]], [[400, 500], [400, 500]], token]);
});

Deno.test("a row that changed is told, and the others by where they were", () => {
  const { at, look } = open();
  at.members = some(5);
  const { token } = look();
  at.members[2] = member("n102", "live", { tellings: 1 });
  const changed = look(token);
  assertEquals(changed.rows[1].id, "n102");
  assertEquals(changed.rows.toSpliced(1, 1), [[0, 2], [3, 2]]);
  assertEquals(changed.heard.length, 4);
  at.members[4] = member("n104", "dead");
  const dead = look(changed.token);
  assertEquals(dead.rows[0].id, "n104", "it comes first now");
  assertEquals(dead.rows.slice(1), [[0, 4]]);
  at.members.splice(1, 1);
  assertEquals(look(dead.token).rows, [[0, 2], [3, 2]]);
});

Deno.test("a heartbeat of a member that is not up is a change, as its age goes on in the browser", () => {
  const { at, look } = open();
  at.members = [member("d", "dead"), member("n1")];
  const { token } = look();
  at.members[0] = member("d", "dead", { lastHeartbeat: NOW, ageMs: 0 });
  const { rows } = look(token);
  assertEquals([rows[0].lastHeartbeat, rows[1]], [NOW, [1, 1]]);
});

Deno.test("the first heartbeat of a member that is up already is a change", () => {
  const { at, look } = open();
  at.members = [member("n1", "live", { lastHeartbeat: null, ageMs: null })];
  const { token } = look();
  at.members = [member("n1")];
  const { rows, heard } = look(token);
  assertEquals([rows[0].id, heard], ["n1", []]);
});

Deno.test("of the map the squares that changed are told: the answer does not grow with the cluster", () => {
  const lengthFor = (count: number) => {
    const { at, look } = open();
    at.members = Array.from({ length: count }, (_, i) => member(`n${10_000 + i}`));
    const { token } = look();
    at.members[7] = member("n10007", "dead");
    const update = look(token);
    assertEquals(update.map, [[0, 7], "xn10007", [8, count - 8]]);
    return JSON.stringify(update).length;
  };
  assert(lengthFor(5_000) - lengthFor(500) < 50);
});

Deno.test("another view is told as it differs from the one before", () => {
  const { at, look } = open();
  at.members = some(5);
  const { token } = look();
  const some3 = look(token, "n103");
  assertEquals(some3.rows, [[3, 1]]);
  assertEquals(look(some3.token).rows.length, 5 - 1 + 1, "one is known");
});

Deno.test("an unknown token is told all: of another process, or one that was forgotten", () => {
  const { at, look, updates } = open();
  at.members = some(2);
  const { token } = look();
  assertEquals(updates.known(token), token);
  for (let i = 0; i < STATES_MAX; i++) look();
  assertEquals(updates.known(token), undefined);
  assertEquals([look(token).base, look("v0.1").base], [undefined, undefined]);
});

Deno.test("invariant 7: states are kept up to their bound of characters, the latest in any case", () => {
  const { at, look, updates } = open();
  at.members = [member("n1", "dead", { reason: "x".repeat(STATES_LENGTH_MAX / 3) })];
  const tokens = [1, 2, 3].map(() => look().token);
  assertEquals(tokens.map((token) => updates.known(token) !== undefined), [false, true, true]);
  at.members = [member("n1", "dead", { reason: "x".repeat(STATES_LENGTH_MAX * 2) })];
  const { token } = look();
  assertEquals([updates.known(tokens[2]), updates.known(token)], [undefined, token]);
});

Deno.test("while nothing changes a state is made once in half a second for all who look at the same", () => {
  let made = 0;
  const at = { nowMs: 0 };
  const updates = new Updates(() => at.nowMs);
  const look = (version: string, status: "live" | "dead" = "live") =>
    updates.write({ key: status, version }, () => {
      made++;
      return pageState(view([member("n1", status)]));
    });
  for (
    const [nowMs, version, count] of [[0, "v1", 1], [499, "v1", 1], [500, "v1", 2], [
      501,
      "v2",
      3,
    ]] as const
  ) {
    at.nowMs = nowMs;
    look(version);
    assertEquals(made, count, `${nowMs} ${version}`);
  }
  made = 0;
  at.nowMs = 10_000;
  for (const passedMs of [0, 4_999, 1]) {
    at.nowMs += passedMs;
    look("v2", "dead");
  }
  assertEquals(made, 2, "once in five seconds where no age is told");
  look("v3", "dead");
  assertEquals(made, 3);
});

Deno.test("what a page makes of updates is what one that was just opened is told", () => {
  const word = fc.nat({ max: 30 });
  const step = fc.record({
    add: fc.uniqueArray(word, { maxLength: 8 }),
    drop: fc.array(word, { maxLength: 4 }),
    turn: fc.array(fc.tuple(word, fc.constantFrom(...STATUSES)), { maxLength: 4 }),
    filter: fc.constantFrom("", "live", "n1"),
    isTold: fc.boolean(),
  });
  fc.assert(fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
    const { at, look } = open();
    let page: ReturnType<typeof look>;
    for (const { add, drop, turn, filter, isTold } of steps) {
      const ids = (list: readonly number[]) => new Set(list.map((n) => `n${100 + n}`));
      const [added, dropped] = [ids(add), ids(drop)];
      const turned = new Map(turn.map(([n, status]) => [`n${100 + n}`, status]));
      for (const { id } of at.members) added.delete(id);
      at.now = new Date(Date.parse(at.now) + 1_000).toISOString();
      // Whoever beats beats; the ages of all others go on.
      at.members = [
        ...at.members.filter(({ id }) => !dropped.has(id)),
        ...[...added].map((id) => member(id)),
      ]
        .map(({ id, status, ageMs, lastHeartbeat }) => {
          const now = turned.get(id) ?? status;
          const beats = now === "live" || now === "failing";
          const heard = new Date(Date.parse(at.now) - 700).toISOString();
          return member(
            id,
            now,
            beats ? { ageMs: 700, lastHeartbeat: heard } : { ageMs, lastHeartbeat },
          );
        });
      if (!isTold) continue;
      page = complete(look(page?.token, filter), page);
      const { token: _, ...fresh } = look(undefined, filter);
      const { token: __, ...shown } = page;
      assertEquals(shown, fresh);
    }
  }));
});

Deno.test("what stays as it was is the same object to a page, and its map the same list", () => {
  const { at, look } = open();
  at.members = [member("d", "dead"), ...some(120)];
  const before = complete(look(), null);
  at.members[0] = { ...at.members[0]!, ageMs: 9_000 };
  const after = complete(look(before.token), before);
  assertEquals([after.rows[0] === before.rows[0], after.map === before.map], [true, true]);
  assertEquals(after.rows[0].ageMs, 2_100, "it goes on from when it came");
});
