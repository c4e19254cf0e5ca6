import { assert, assertEquals, assertThrows } from "@std/assert";
import type { MemberView } from "../../lib/report/members.ts";
import type { Status } from "../../lib/table.ts";
import { disagreement } from "./agreement.ts";
import { Judge, type View, Violation } from "./judge.ts";
import type { LinkFault } from "./links.ts";
import { Plan } from "./plan.ts";
import { Truth } from "./truth.ts";
import { Dice } from "../support/dice.ts";

const PLAN = { nodes: 5, episodeMaxMs: 20_000, breakable: true, starvable: true, clocks: true };

function playPlan(seed: string, episodes: number) {
  const plan = new Plan(new Dice(seed), PLAN);
  return { begin: plan.begin(), episodes: Array.from({ length: episodes }, () => plan.next()) };
}

Deno.test("Plan: one seed, one plan", () => {
  assertEquals(playPlan("42", 20), playPlan("42", 20));
  assert(JSON.stringify(playPlan("42", 5)) !== JSON.stringify(playPlan("43", 5)));
});

Deno.test("Plan: only what can be done is done, all is healed at the end, and enough nodes are left", () => {
  for (let seed = 0; seed < 50; seed++) {
    const { begin, episodes } = playPlan(String(seed), 20);
    const up = new Set(begin.map(({ id }) => id));
    const buried = new Set<string>();
    for (const { acts, lengthMs } of episodes) {
      const ailing = new Set<unknown>();
      for (const act of acts) {
        const at = `seed ${seed}, ${JSON.stringify(act)}`;
        const heals = ["resume", "feed", "mend"].includes(act.kind);
        assert(act.afterMs >= 0 && (!heals || act.afterMs <= lengthMs), at);
        switch (act.kind) {
          case "start":
            assert(!up.has(act.id) && !buried.has(act.id), at);
            assert(act.join.every((id) => up.has(id)), at);
            up.add(act.id);
            break;
          case "return":
            assert(buried.has(act.id) && act.join.every((id) => up.has(id)), at);
            break;
          case "bye":
            assert(up.has(act.at) && !buried.has(act.id), at);
            buried.add(act.id);
            up.delete(act.id);
            break;
          case "kill":
          case "leave":
            assert(up.delete(act.id), at);
            break;
          case "stop":
          case "starve":
            assert(up.has(act.id), at);
            ailing.add(act.id);
            break;
          case "resume":
          case "feed":
            assert(ailing.delete(act.id), at);
            break;
          case "break":
            ailing.add(act.fault);
            break;
          case "mend":
            assert(ailing.delete(act.fault), at);
        }
        assert(up.size > 0, at);
      }
      assert(ailing.size === 0 && up.size >= 3, `seed ${seed}`);
    }
  }
});

Deno.test("Plan: nodes are starved, for a while, where the system can; elsewhere the rest is done", () => {
  for (const starvable of [true, false]) {
    const plan = new Plan(new Dice("42"), { ...PLAN, starvable });
    plan.begin();
    const acts = Array.from({ length: 50 }, () => plan.next().acts).flat();
    assertEquals(acts.some(({ kind }) => kind === "starve"), starvable);
    assert(acts.some(({ kind }) => kind === "stop"));
  }
});

/** Five nodes that run, well and connected, since 0; times in s. */
function lab() {
  const truth = new Truth();
  const ids = ["a", "b", "c", "d", "e"];
  for (const id of ids) {
    truth.starts(id);
    truth.listens(id, 0);
  }
  const judge = new Judge({ truth, intervalMs: 1_000, deadAfterMs: 5_000 });
  const observer = { id: "a", sinceMs: 0 };
  /** What `a` shows at that time: all live but for what is given. */
  const look = (
    s: number,
    changed: Record<string, Partial<MemberView> & { status: Status }> = {},
  ) => judge.view(observer, viewAt(s, ids, changed));
  return { truth, judge, look, ids };
}

function viewAt(
  s: number,
  ids: readonly string[],
  changed: Record<string, Partial<MemberView> & { status: Status }> = {},
): View {
  const rows = new Map<string, MemberView>();
  for (const id of [...ids, ...Object.keys(changed)]) {
    const lastHeartbeat = new Date(1e12 + s * 1_000).toISOString();
    const row = { id, address: `${id}:1`, status: "live" as const, lastHeartbeat, ageMs: 0 };
    rows.set(id, { ...row, ...changed[id] });
  }
  return { fromMs: s * 1_000, untilMs: s * 1_000 + 5, rows };
}

function assertViolates(invariant: string, look: () => void): void {
  const violation = assertThrows(look, Violation);
  assertEquals(violation.invariant, invariant, violation.message);
}

const DEAD = { status: "dead", ageMs: 5_000 } as const;

Deno.test("Judge: a heartbeat that goes back breaks invariant 2", () => {
  const { look } = lab();
  look(10);
  const lastHeartbeat = new Date(1e12).toISOString();
  assertViolates("2", () => look(11, { b: { status: "live", lastHeartbeat } }));
});

Deno.test("Judge: a tombstone undone breaks invariant 3", () => {
  const { look } = lab();
  look(10, { x: { status: "decommissioned", lastHeartbeat: null } });
  assertViolates("3", () => look(11));
});

Deno.test("Judge: a live, connected member shown dead breaks invariant 4, where one that was ill does not", () => {
  assertViolates("4", () => lab().look(100, { b: DEAD }));

  const { truth, look } = lab();
  truth.stalls("b");
  truth.stalled("b", 80_000);
  look(86, { b: DEAD });
  truth.resumes("b", 90_000);
  look(92, { b: DEAD });
  assertViolates("4", () => look(108, { b: DEAD }));
});

Deno.test("Judge: who called a parted member dead just before it was stopped has time to hear it once it wakes", () => {
  const { truth, look } = lab();
  const fault: LinkFault = { kind: "part", ids: ["b"] };
  truth.breaks(fault);
  truth.broken(fault, 50_000);
  // It gives its verdict after this look, and is stopped.
  look(54, { b: { status: "live", ageMs: 4_000 } });
  truth.stalls("a");
  truth.stalled("a", 56_000);
  truth.mends(fault, 58_000);
  truth.mended(fault, 58_100);
  truth.resumes("a", 66_000);
  look(66.1, { b: DEAD });
  assertViolates("4", () => look(80, { b: DEAD }));
});

Deno.test("Judge: who wakes and accuses a node that runs breaks invariant 8, whatever ails the others", () => {
  const { truth, look } = lab();
  for (const id of ["c", "d", "e"]) {
    truth.stalls(id);
    truth.stalled(id, 45_000);
  }
  look(49);
  truth.stalls("a");
  truth.stalled("a", 50_000);
  truth.resumes("a", 60_000);
  truth.resumes("c", 59_000);
  // It was told that c slept too long, and not yet that it woke.
  look(60.1, { c: DEAD });
  assertViolates("8", () => look(60.2, { b: DEAD }));
});

Deno.test("Judge: who wakes may call dead whom its side of the network has not heard for that long", () => {
  for (const ids of [["b"], ["a", "c"]]) {
    const { truth, look } = lab();
    look(49);
    truth.stalls("a");
    truth.stalled("a", 50_000);
    const fault: LinkFault = { kind: "part", ids };
    truth.breaks(fault);
    truth.broken(fault, 52_000);
    truth.resumes("a", 60_000);
    truth.mends(fault, 60_000);
    truth.mended(fault, 60_100);
    look(60.2, { b: DEAD });
  }
});

Deno.test("Judge: a fault between two nodes excuses them only while others do not reach both", () => {
  const fault: LinkFault = { kind: "drop", from: "b", to: ["a"] };
  const few = lab();
  few.truth.breaks(fault);
  few.truth.broken(fault, 50_000);
  assertViolates("4", () => few.look(60, { b: DEAD }));

  const cut = lab();
  const wide: LinkFault = { kind: "drop", from: "b", to: ["a", "c", "d"] };
  cut.truth.breaks(wide);
  cut.truth.broken(wide, 50_000);
  cut.look(60, { b: DEAD });
  cut.truth.mends(wide, 61_000);
  cut.truth.mended(wide, 61_100);
  assertViolates("4", () => cut.look(79, { b: DEAD }));
});

Deno.test("Judge: who was killed, stopped or cut off and is live too long breaks invariant 5", () => {
  const killed = lab();
  killed.truth.ends("b");
  killed.truth.ended("b", 50_000);
  killed.look(57);
  assertViolates("5", () => killed.look(57.1));

  const stopped = lab();
  stopped.truth.stalls("b");
  stopped.truth.stalled("b", 50_000);
  stopped.look(57);
  assertViolates("5", () => stopped.look(57.1));

  const fault: LinkFault = { kind: "part", ids: ["b", "c"] };
  const parted = lab();
  parted.truth.breaks(fault);
  parted.truth.broken(fault, 50_000);
  parted.look(57);
  assertViolates("5", () => parted.look(57.1));
});

Deno.test("Judge: who said that its rounds come late may be silent for twice that, six dead-afters at most", () => {
  for (const [gap, silentS] of [["4.0", 8], ["60.0", 30]] as const) {
    const { truth, look } = lab();
    truth.stalls("b");
    truth.stalled("b", 50_000);
    const slow = { status: "live", remark: `slow: its rounds come ${gap} s apart` } as const;
    look(50 + silentS + 2, { b: slow });
    assertViolates("5", () => look(50 + silentS + 2.3, { b: slow }));
  }
});

Deno.test("Judge: after somebody's stall a late verdict is excused for as long as one takes", () => {
  const { truth, look } = lab();
  truth.stalls("c");
  truth.stalled("c", 40_000);
  truth.ends("b");
  truth.ended("b", 50_000);
  truth.resumes("c", 55_000);
  look(61);
  assertViolates("5", () => look(62.1));
});

Deno.test("Judge: news that a third node can pass on counts as heard", () => {
  const { truth, look } = lab();
  const first: LinkFault = { kind: "part", ids: ["a"] };
  const second: LinkFault = { kind: "part", ids: ["b"] };
  truth.breaks(first);
  truth.broken(first, 50_000);
  truth.breaks(second);
  truth.broken(second, 53_000);
  truth.mends(first, 54_000);
  // What b last said, at 53, reached the others then, and a now.
  look(59.9);
  assertViolates("5", () => look(60.1));
});

Deno.test("Judge: a verdict before dead-after breaks invariant 5 where no port was closed", () => {
  const { truth, look } = lab();
  truth.stalls("b");
  truth.stalled("b", 50_000);
  assertViolates("5", () => look(52, { b: { status: "dead", ageMs: 2_000 } }));
  truth.ends("b");
  truth.ended("b", 51_000);
  look(52, { b: { status: "dead", ageMs: 2_000 } });
});

Deno.test("Judge: a starved member may be called unresponsive, but dead only where packets were lost", () => {
  const unresponsive = { status: "unresponsive", ageMs: 6_000 } as const;
  const { truth, look } = lab();
  truth.starves("b", 50_000);
  look(60, { b: unresponsive });
  assertViolates("4", () => look(61, { b: DEAD }));
  truth.feeds("b", 62_000);
  look(63, { b: unresponsive });
  assertViolates("4", () => look(80, { b: unresponsive }));

  const busy = lab();
  busy.truth.starves("b", 50_000);
  for (const id of busy.ids) busy.truth.ranLate(id, 56_000);
  busy.look(60, { b: DEAD });

  const ended = lab();
  ended.truth.starves("b", 50_000);
  ended.truth.ends("b");
  ended.look(61, { b: DEAD });

  const lossy = lab();
  lossy.truth.starves("b", 50_000);
  lossy.truth.breaks({ kind: "loss", share: 0.25 });
  lossy.look(61, { b: DEAD });
});

Deno.test("Judge: a starved observer calls nobody dead who was well since before it starved", () => {
  for (const status of ["dead", "unresponsive"] as const) {
    const { truth, look } = lab();
    look(49);
    truth.starves("a", 50_000);
    assertViolates("4", () => look(60, { b: { ...DEAD, status } }));
  }
  const { truth, look } = lab();
  truth.stalls("b");
  truth.stalled("b", 40_000);
  truth.starves("a", 50_000);
  truth.resumes("b", 51_000);
  look(80, { b: DEAD });
});

Deno.test("Judge: while somebody starves, ages passed on may be too low: a late verdict is excused", () => {
  const { truth, look } = lab();
  truth.ends("b");
  truth.ended("b", 50_000);
  truth.starves("c", 51_000);
  look(60);
  truth.feeds("c", 61_000);
  look(68);
  assertViolates("5", () => look(68.1));
});

Deno.test("disagreement: tables that differ from each other or from the truth are told apart", () => {
  const ids = ["a", "b"];
  const running = new Map(ids.map((id) => [id, `${id}:1`]));
  const facts = { running, buried: new Set<string>(), left: new Set<string>() };
  const both = (changed: Parameters<typeof viewAt>[2], other = changed) =>
    new Map([["a", viewAt(9, ids, changed)], ["b", viewAt(9, ids, other)]]);
  const dead = { c: { status: "dead" as const } };
  assertEquals(disagreement(both({}), facts), undefined);
  assertEquals(disagreement(both(dead), facts), undefined);
  assertEquals(
    disagreement(both({ b: DEAD }), facts),
    "a shows b dead at b:1 since " +
      "2001-09-09T01:46:49.000Z, which runs at b:1",
  );
  for (
    const [views, told] of [
      [both(dead, {}), facts],
      [both({ c: { status: "live" } }), facts],
      [both(dead, { c: { status: "left" } }), facts],
      [both(dead, { c: { status: "dead", lastHeartbeat: null } }), facts],
      [both(dead), { ...facts, buried: new Set(["c"]) }],
      [both({}), { ...facts, buried: new Set(["b"]) }],
      [both(dead), { ...facts, left: new Set(["c"]) }],
      [both({ b: { status: "live", address: "x:1" } }), facts],
    ] as const
  ) assert(disagreement(views, told) !== undefined, JSON.stringify([...views.values()]));
});

Deno.test("a cluster of real processes holds the invariants for a quarter of a minute of faults", async () => {
  const seed = String(Date.now() % 1_000_000);
  const main = new URL("./main.ts", import.meta.url).pathname;
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--quiet", main, seed, "--nodes", "5", "--minutes", "0.25"],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).output();
  const text = new TextDecoder();
  assertEquals(code, 0, `\n${text.decode(stdout)}${text.decode(stderr)}`);
});
