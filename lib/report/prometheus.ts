/**
 * The part of the Prometheus text format, version 0.0.4, that a node needs. (pure)
 *
 * Written by hand: the format is four rules, and a client library is a hundred times as long as this file.
 *
 * @module
 */

/** Label values by name. The names are ours; the values may hold any text. */
export type MetricLabels = Readonly<Record<string, string>>;

/** One metric with all its samples. */
export interface Family {
  /** Ends in `_total` for a counter, and in its base unit where it has one. */
  readonly name: string;
  readonly type: "counter" | "gauge" | "histogram";
  /** One line. */
  readonly help: string;
  /** A number or a histogram without labels, or a number per set of labels. */
  readonly samples: number | Histogram | readonly (readonly [MetricLabels, number])[];
}

/** Counts of observations up to each bound. */
export class Histogram {
  readonly bounds: readonly number[];
  /** Per bucket; the last one counts values above all bounds. */
  readonly counts: number[];
  #sum = 0;

  /** Bounds in ascending order. */
  constructor(bounds: readonly number[]) {
    this.bounds = bounds;
    this.counts = new Array<number>(bounds.length + 1).fill(0);
  }

  get sum(): number {
    return this.#sum;
  }

  observe(value: number): void {
    this.#sum += value;
    let bucket = 0;
    while (bucket < this.bounds.length && value > this.bounds[bucket]!) bucket++;
    this.counts[bucket]!++;
  }
}

/** A member's tags as labels: their names may have no dash. */
export function tagLabels(tags: MetricLabels, prefix: string): Record<string, string> {
  return Object.fromEntries(
    Object.entries(tags).map(([key, value]) => [prefix + key.replaceAll("-", "_"), value]),
  );
}

/** A metric that only grows; its name ends in `_total`. */
export function counter(name: string, help: string, samples: Family["samples"]): Family {
  return { name, help, type: "counter", samples };
}

/** A metric that goes up and down; its name ends in its base unit, where it has one. */
export function gauge(name: string, help: string, samples: Family["samples"]): Family {
  return { name, help, type: "gauge", samples };
}

/** The body of `GET /metrics`. */
export function metricsText(families: readonly Family[]): string {
  return families.map(familyText).join("");
}

function familyText({ name, type, help, samples }: Family): string {
  const lines = [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`];
  if (samples instanceof Histogram) {
    let count = 0;
    samples.counts.forEach((inBucket, i) => {
      count += inBucket;
      lines.push(sampleText(`${name}_bucket`, { le: numberText(samples.bounds[i]) }, count));
    });
    lines.push(sampleText(`${name}_sum`, {}, samples.sum), sampleText(`${name}_count`, {}, count));
  } else if (typeof samples === "number") {
    lines.push(sampleText(name, {}, samples));
  } else {
    for (const [labels, value] of samples) lines.push(sampleText(name, labels, value));
  }
  return `${lines.join("\n")}\n`;
}

function sampleText(name: string, labels: MetricLabels, value: number): string {
  const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escapeLabel(text)}"`);
  return `${name}${pairs.length === 0 ? "" : `{${pairs.join(",")}}`} ${numberText(value)}`;
}

function numberText(value = Infinity): string {
  return value === Infinity ? "+Inf" : String(value);
}

function escapeLabel(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}
