/**
 * Reads the text format of Prometheus strictly: what a scraper forgives is an error here.
 *
 * @module
 */
import { assert, assertEquals, assertGreaterOrEqual } from "@std/assert";

export interface Metric {
  readonly type: string;
  readonly help: string;
  /** By name and labels, as they stand: `gossiper_members{status="live"}`. */
  readonly samples: Map<string, number>;
}

const HEADING = /^# (HELP|TYPE) ([a-z_]+) (.+)$/;
const SAMPLE =
  /^([a-z_]+)(\{[a-z_]+="(?:[^"\\\n]|\\[\\"n])*"(?:,[a-z_]+="(?:[^"\\\n]|\\[\\"n])*")*\})? (-?[0-9.]+(?:e[+-]?[0-9]+)?|\+Inf)$/;

/** The metrics by name; throws for a text that breaks a rule of the format, or of how metrics are named. */
export function readExposition(text: string): Map<string, Metric> {
  assert(text.endsWith("\n"), "the text ends in a line feed");
  const metrics = new Map<string, Metric>();
  let current: { name: string; help: string; type: string | undefined } | undefined;
  for (const line of text.slice(0, -1).split("\n")) {
    const [, kind, headed = "", words = ""] = HEADING.exec(line) ?? [];
    if (kind === "HELP") {
      assert(!metrics.has(headed), `${headed} comes twice`);
      current = { name: headed, help: words, type: undefined };
    } else if (kind === "TYPE") {
      assertEquals(current, { name: headed, help: current?.help ?? "", type: undefined }, line);
      current = { ...current!, type: words };
      metrics.set(headed, { type: words, help: current.help, samples: new Map() });
    } else {
      const [, name = "", labels = "", value = ""] = SAMPLE.exec(line) ?? [];
      const suffix = current?.type === "histogram" ? /_(?:bucket|sum|count)$/ : /$/;
      assertEquals(name.replace(suffix, ""), current?.name, `is no sample of the metric: ${line}`);
      const { samples } = metrics.get(current!.name)!;
      assert(!samples.has(name + labels), `comes twice: ${line}`);
      samples.set(name + labels, value === "+Inf" ? Infinity : Number(value));
    }
  }
  for (const [name, metric] of metrics) checkMetric(name, metric);
  return metrics;
}

function checkMetric(name: string, { type, samples }: Metric): void {
  assert(["counter", "gauge", "histogram"].includes(type), `${name} is a ${type}`);
  assert(samples.size > 0, `${name} has no samples`);
  assertEquals(name.endsWith("_total"), type === "counter", `${name} is a ${type}`);
  for (const [sample, value] of samples) {
    assert(Number.isFinite(value), `${sample} is ${value}`);
    if (type !== "gauge") assertGreaterOrEqual(value, 0, sample);
  }
  if (type !== "histogram") return;
  const buckets = [...samples].filter(([sample]) => sample.startsWith(`${name}_bucket`));
  const bounds = buckets.map(([sample]) => /^[a-z_]+\{le="(.+)"\}$/.exec(sample)?.[1] ?? "");
  assertEquals(bounds.pop(), "+Inf", `${name} ends with the bucket of all`);
  assertEquals(bounds, bounds.toSorted((a, b) => Number(a) - Number(b)), `${name} is in order`);
  const counts = buckets.map(([, count]) => count);
  assertEquals(counts, counts.toSorted((a, b) => a - b), `${name} is cumulative`);
  assertEquals(counts.at(-1), samples.get(`${name}_count`), `${name} counts all`);
  assert(samples.has(`${name}_sum`), `${name} has a sum`);
}

/** The value of a sample, named with its labels as in the text; fails if there is none. */
export function value(metrics: Map<string, Metric>, sample: string): number {
  const name = sample.replace(/\{.*/, "").replace(/_(?:bucket|sum|count)$/, "");
  const found = (metrics.get(name) ?? metrics.get(sample))?.samples.get(sample);
  assert(found !== undefined, `no sample ${sample}`);
  return found;
}
