import { assert, assertEquals, assertGreater, assertLess, assertThrows } from "@std/assert";
import { Metrics } from "../../lib/report/metrics.ts";
import { Histogram, metricsText } from "../../lib/report/prometheus.ts";
import { eventually } from "../support/eventually.ts";
import { type Metric, readExposition } from "../support/exposition.ts";
import { eventuallyShow, startNode } from "../support/nodes.ts";
import { PATIENT_FLAGS, rowOf, tell } from "../support/peer.ts";

async function scrape(address: string): Promise<{ text: string; metrics: Map<string, Metric> }> {
  const response = await fetch(`http://${address}/metrics`);
  assertEquals(response.headers.get("content-type"), "text/plain; version=0.0.4; charset=utf-8");
  const text = await response.text();
  return { text, metrics: readExposition(text) };
}

function value(metrics: Map<string, Metric>, sample: string): number {
  const name = sample.replace(/\{.*/, "").replace(/_(?:bucket|sum|count)$/, "");
  const found = (metrics.get(name) ?? metrics.get(sample))?.samples.get(sample);
  assert(found !== undefined, `no sample ${sample}`);
  return found;
}

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

Deno.test("Metrics counts exchanges by outcome, and times only those answered", () => {
  const measures = new Metrics();
  measures.exchange({ to: "a:1", outcome: "answered", tookMs: 20 });
  measures.exchange({ to: "a:1", outcome: "silent", tookMs: 1_000 });
  const families = measures.families({
    members: [
      { id: "a", address: "", status: "live", lastHeartbeat: null, ageMs: 2_500 },
      { id: "b", address: "", status: "live", lastHeartbeat: null, ageMs: 500 },
      { id: "c", address: "", status: "dead", lastHeartbeat: null, ageMs: 9_000 },
    ],
    ...{ contacts: 0, rounds: 0, tableVersion: 0, invalid: 0, full: 0, streams: 0 },
    traffic: { bytesIn: 0, bytesOut: 0 },
    build: { version: "1", deno: "2" },
    process: { cpuSeconds: 0, residentBytes: 0, startSeconds: 0 },
  });
  const metrics = readExposition(metricsText(families));
  assertEquals(value(metrics, 'gossiper_exchanges_total{outcome="answered"}'), 1);
  assertEquals(value(metrics, 'gossiper_exchanges_total{outcome="silent"}'), 1);
  assertEquals(value(metrics, "gossiper_exchange_duration_seconds_count"), 1);
  assertEquals(value(metrics, "gossiper_heartbeat_age_max_seconds"), 2.5, "of the live ones");
});

Deno.test("GET /metrics counts what a node does: rounds, exchanges, bytes, changes, limits", async () => {
  await using n1 = startNode("n1");
  await using n2 = startNode("n2", `-join ${n1.address}`);
  await eventuallyShow([n1, n2], { n1: "live", n2: "live" });
  const before = await scrape(n1.address);
  assertEquals(value(before.metrics, 'gossiper_members{status="live"}'), 2);
  assertEquals(value(before.metrics, 'gossiper_status_changes_total{to="live"}'), 2);
  assertGreater(value(before.metrics, "gossiper_merge_changes_total"), 0);
  assertGreater(value(before.metrics, "gossiper_news_delay_seconds_count"), 0);
  await eventually(async () => {
    const { metrics } = await scrape(n1.address);
    for (
      const sample of [
        "gossiper_rounds_total",
        'gossiper_exchanges_total{outcome="answered"}',
        "gossiper_exchange_duration_seconds_count",
        "gossiper_exchange_sent_bytes_total",
        "gossiper_exchange_received_bytes_total",
        "gossiper_served_exchanges_total",
        "gossiper_served_received_bytes_total",
        "gossiper_served_sent_bytes_total",
        "gossiper_round_lateness_seconds_count",
      ]
    ) assertGreater(value(metrics, sample), value(before.metrics, sample), sample);
  });
  const { metrics } = await scrape(n1.address);
  assertGreater(value(metrics, "process_resident_memory_bytes"), 20e6);
  assertGreater(value(metrics, "process_cpu_seconds_total"), 0);
  assertLess(Math.abs(value(metrics, "process_start_time_seconds") - Date.now() / 1000), 3_600);
  assertGreater(value(metrics, "gossiper_exchange_sent_bytes_total"), 100);
});

Deno.test("GET /metrics counts what limits refused, and what was invalid", async () => {
  await using node = startNode("n1", PATIENT_FLAGS);
  await tell(node.address, [rowOf("a"), rowOf("<b>"), rowOf("c", { address: "nowhere" })]);
  const long = await fetch(`http://${node.address}/hello?from=a&via=a:1`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: "x".repeat(8 * 1024 * 1024 + 1),
  });
  assertEquals(long.status, 413);
  await long.body?.cancel();
  const { metrics } = await scrape(node.address);
  assertEquals(value(metrics, "gossiper_invalid_entries_total"), 2);
  assertEquals(value(metrics, 'gossiper_limit_hits_total{limit="body"}'), 1);
  assertEquals(value(metrics, 'gossiper_limit_hits_total{limit="table"}'), 0);
});

const promtool = await new Deno.Command("promtool", { args: ["--version"] }).output()
  .then(({ success }) => success, () => false);

// Without promtool (Debian's package prometheus) this shows as ignored, and the strict reading above is what checks.
Deno.test("GET /metrics passes promtool's check", { ignore: !promtool }, async () => {
  await using node = startNode("n1", PATIENT_FLAGS);
  const { text } = await scrape(node.address);
  const check = new Deno.Command("promtool", {
    args: ["check", "metrics"],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const stdin = check.stdin.getWriter();
  await stdin.write(new TextEncoder().encode(text));
  await stdin.close();
  const { code, stdout, stderr } = await check.output();
  const said = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
  assertEquals([code, said], [0, ""]);
});
