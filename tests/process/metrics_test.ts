import { assertEquals, assertGreater, assertLess } from "@std/assert";
import { eventually } from "../support/eventually.ts";
import { type Metric, readExposition, value } from "../support/exposition.ts";
import { eventuallyShow, startNode } from "../support/nodes.ts";
import { PATIENT_FLAGS, rowOf, tell } from "../support/peer.ts";

async function scrape(address: string): Promise<{ text: string; metrics: Map<string, Metric> }> {
  const response = await fetch(`http://${address}/metrics`);
  assertEquals(response.headers.get("content-type"), "text/plain; version=0.0.4; charset=utf-8");
  const text = await response.text();
  return { text, metrics: readExposition(text) };
}

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

Deno.test("GET /sd lists the live members for Prometheus' HTTP service discovery", async () => {
  await using n1 = startNode("n1", "-cluster prod");
  await using n2 = startNode("n2", `-cluster prod -join ${n1.address}`);
  await eventuallyShow([n1, n2], { n1: "live", n2: "live" });
  await fetch(`http://${n1.address}/bye?id=n3&unknown=yes`).then((response) =>
    response.body?.cancel()
  );
  const response = await fetch(`http://${n2.address}/sd`);
  assertEquals(response.headers.get("content-type"), "application/json");
  assertEquals(
    await response.json(),
    [n1, n2].map(({ id, running }) => ({
      targets: [running.address],
      labels: { __meta_gossiper_id: id, __meta_gossiper_cluster: "prod" },
    })),
  );
});
