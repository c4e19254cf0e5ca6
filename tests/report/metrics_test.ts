import { assertEquals, assertThrows } from "@std/assert";
import type { ListedMember } from "../../lib/report/members.ts";
import { Metrics } from "../../lib/report/metrics.ts";
import { DOWN_NAMED_MAX } from "../../lib/report/named.ts";
import { Histogram, metricsText } from "../../lib/report/prometheus.ts";
import { type Status, STATUSES } from "../../lib/table.ts";
import { type Metric, readExposition, value } from "../support/exposition.ts";

Deno.test("Histogram counts each value in the first bucket whose bound it does not pass", () => {
  const histogram = new Histogram([1, 2]);
  for (const observed of [0, 1, 1.5, 2, 2.1, Infinity]) histogram.observe(observed);
  assertEquals(histogram.counts, [2, 2, 2]);
});

Deno.test("metricsText() writes counters, labels and cumulative buckets", () => {
  const samples = new Histogram([0.5, 1]);
  for (const observed of [0.25, 0.75, 0.75, 9]) samples.observe(observed);
  const text = metricsText([
    { name: "a_total", type: "counter", help: "All of a.", samples: 7 },
    { name: "b", type: "gauge", help: "Each b.", samples: [[{ x: "1", y: "2" }, 0.5]] },
    { name: "c_seconds", type: "histogram", help: "Time of c.", samples },
  ]);
  assertEquals(
    text,
    `\
# HELP a_total All of a.
# TYPE a_total counter
a_total 7
# HELP b Each b.
# TYPE b gauge
b{x="1",y="2"} 0.5
# HELP c_seconds Time of c.
# TYPE c_seconds histogram
c_seconds_bucket{le="0.5"} 1
c_seconds_bucket{le="1"} 3
c_seconds_bucket{le="+Inf"} 4
c_seconds_sum 10.75
c_seconds_count 4
`,
  );
  readExposition(text);
});

Deno.test("metricsText() escapes a label's value", () => {
  const help = "A.";
  const text = metricsText([{ name: "a", type: "gauge", help, samples: [[{ x: '"\\\n' }, 1]] }]);
  assertEquals(text.split("\n")[2], String.raw`a{x="\"\\\n"} 1`);
  readExposition(text);
});

Deno.test("readExposition() finds what is wrong with a text", () => {
  const good = "# HELP a_total A.\n# TYPE a_total counter\na_total 1\n";
  readExposition(good);
  const wrong = {
    "no line feed": good.trimEnd(),
    "no type": good.replace(/# TYPE.*\n/, ""),
    "no sample": good.replace(/\na_total 1/, ""),
    "another's sample": good.replace("\na_total 1", "\nb_total 1"),
    "no number": good.replace(" 1\n", " one\n"),
    "a counter without _total": good.replaceAll("a_total", "a"),
    "twice": good + good,
    "a label without quotes": good.replace("\na_total 1", "\na_total{x=1} 1"),
  };
  for (const [why, text] of Object.entries(wrong)) assertThrows(() => readExposition(text), why);
});

/** What `counts` tells of a node with these members. */
function readFamilies(counts: Metrics, members: readonly ListedMember[]): Map<string, Metric> {
  return readExposition(metricsText(counts.families({
    members,
    cutOff: false,
    contacts: 0,
    rounds: 0,
    tableVersion: 0,
    invalid: 0,
    full: 0,
    streams: 0,
    traffic: { bytesIn: 0, bytesOut: 0 },
    build: { version: "1", deno: "2" },
    process: { cpuSeconds: 0, residentBytes: 0, startSeconds: 0 },
  })));
}

function member(id: string, status: Status, ageMs = 0): ListedMember {
  const unknown = {
    lastHeartbeat: null,
    reason: null,
    since: null,
    remark: null,
    tags: {},
    ports: {},
  };
  return { ...unknown, id, address: `${id}:1`, status, ageMs };
}

Deno.test("gossiper_member_remark names who is slow or flaps, for each reason, and nobody while all are well", () => {
  const remark = "slow: its rounds come 4.2 s apart; flapping: 6 changes in 10 min";
  const members = [member("a", "live"), { ...member("b", "live"), remark }];
  const samples = readFamilies(new Metrics(), members).get("gossiper_member_remark")?.samples;
  assertEquals([...samples!.keys()], [
    'gossiper_member_remark{id="b",address="b:1",remark="slow"}',
    'gossiper_member_remark{id="b",address="b:1",remark="flapping"}',
  ]);
  const none = readFamilies(new Metrics(), [member("a", "live")]);
  assertEquals(none.get("gossiper_member_remark"), undefined);
});

Deno.test("Metrics counts exchanges by outcome, and times only those answered", () => {
  const counts = new Metrics();
  counts.exchange({ to: "a:1", outcome: "answered", tookMs: 20 });
  counts.exchange({ to: "a:1", outcome: "silent", tookMs: 1_000 });
  const members = [
    member("a", "live", 2_500),
    member("b", "live", 500),
    member("c", "dead", 9_000),
  ];
  const metrics = readFamilies(counts, members);
  assertEquals(value(metrics, 'gossiper_exchanges_total{outcome="answered"}'), 1);
  assertEquals(value(metrics, 'gossiper_exchanges_total{outcome="silent"}'), 1);
  assertEquals(value(metrics, "gossiper_exchange_duration_seconds_count"), 1);
  assertEquals(value(metrics, "gossiper_heartbeat_age_max_seconds"), 2.5, "of the live ones");
});

Deno.test("gossiper_member_down names each member that is dead, unresponsive, failing, unknown or left, and there is none while all are live", () => {
  const members = STATUSES.map((status) => member(`is-${status}`, status));
  const samples = readFamilies(new Metrics(), members).get("gossiper_member_down")?.samples;
  assertEquals([...samples!.keys()], [
    'gossiper_member_down{id="is-dead",address="is-dead:1",status="dead"}',
    'gossiper_member_down{id="is-unresponsive",address="is-unresponsive:1",status="unresponsive"}',
    'gossiper_member_down{id="is-failing",address="is-failing:1",status="failing"}',
    'gossiper_member_down{id="is-unknown",address="is-unknown:1",status="unknown"}',
    'gossiper_member_down{id="is-left",address="is-left:1",status="left"}',
  ]);
  assertEquals(new Set(samples!.values()), new Set([1]));
  const none = readFamilies(new Metrics(), [member("a", "live"), member("b", "decommissioned")]);
  assertEquals(none.get("gossiper_member_down"), undefined);
});

Deno.test("invariant 7: gossiper_member_down names a bounded number of members, dead ones first", () => {
  const members = Array.from({ length: 2 * DOWN_NAMED_MAX }, (_, i) => {
    return member(`n${i}`, i % 2 === 0 ? "left" : "dead");
  });
  const named = readFamilies(new Metrics(), members).get("gossiper_member_down")?.samples ?? [];
  const dead = [...named].filter(([sample]) => sample.includes('status="dead"'));
  assertEquals(dead.length, DOWN_NAMED_MAX);
});

Deno.test("gossiper_member_info tells tags as labels that Prometheus takes, and nothing of who has none", () => {
  const tagged = { ...member("b", "dead"), tags: { role: "web", "a-b": '"\\' } };
  const families = (members: ListedMember[]) => readFamilies(new Metrics(), members);
  const samples = families([member("a", "live"), tagged]).get("gossiper_member_info")?.samples;
  assertEquals([...samples!.keys()], [
    'gossiper_member_info{id="b",address="b:1",tag_role="web",tag_a_b="\\"\\\\"}',
  ]);
  assertEquals(families([member("a", "live")]).has("gossiper_member_info"), false);
});
