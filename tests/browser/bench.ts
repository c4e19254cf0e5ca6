/**
 * What the page of a large cluster costs in a real browser: `deno task bench:page [MINUTES] [MEMBERS...]`, by default one
 * minute and 3, 1,000 and 10,000 members, which are played.
 *
 * @module
 */
import type { Browser, CDPSession, Page } from "playwright-core";
import { play, playedId } from "../bench/played.ts";
import { rowOf, tell } from "../support/peer.ts";
import { launch } from "./chromium.ts";
import { startNode } from "./node_process.ts";

/** The page is opened so often; the best counts, as other work on the machine only ever makes it longer. */
const OPENINGS = 5;

/** Members that stop, one after the other. */
const CHANGES = 12;

/** Longer than the rows take that follow those to which one has scrolled. */
const SCROLL_MS = 5_000;

/** Longer than a node takes to look again. */
const QUIET_MS = 15_000;

/** Lets the node's calls to members that are played end in silence, and none of them be dead for it. */
const NODE_FLAGS = "-interval 1s -dead-after 20s";

const [minutes = 1, ...counts] = Deno.args.map(Number);
const browser = await launch();
try {
  for (const members of counts.length > 0 ? counts : [3, 1_000, 10_000]) {
    await measure(browser, members);
  }
} finally {
  await browser.close();
}

async function measure(browser: Browser, members: number): Promise<void> {
  await using node = await startNode("self", NODE_FLAGS);
  // Takes the node's own calls in silence.
  using silent = Deno.listen({ hostname: "0.0.0.0", port: 0 });
  const end = new AbortController();
  const told = Promise.withResolvers<void>();
  const [port, calledPort] = [node.address.split(":")[1], (silent.addr as Deno.NetAddr).port];
  const played = play(
    { port: Number(port), members: members - 1, calledPort, signal: end.signal },
    told.resolve,
  );
  await Promise.race([told.promise, played]);
  const url = `http://${node.address}/`;
  const html = await (await fetch(url, { headers: { accept: "text/html" } })).text();
  const readyMs: number[] = [];
  for (let i = 0; i < OPENINGS; i++) {
    const context = await browser.newContext();
    const page = await context.newPage();
    const startMs = performance.now();
    await page.goto(url);
    await untilLive(page);
    readyMs.push(performance.now() - startMs);
    await context.close();
  }
  const context = await browser.newContext();
  const page = await context.newPage();
  const updates = watchUpdates(page);
  await page.goto(url);
  await untilLive(page);
  const cdp = await context.newCDPSession(page);
  await cdp.send("Performance.enable");
  await pause(QUIET_MS);

  const quiet = await spent(cdp, updates, () => pause(QUIET_MS));
  const first = await memory(cdp);
  const changed: Spent[] = [];
  for (let i = 0; i < CHANGES; i++) {
    changed.push(
      await spent(cdp, updates, async () => {
        const heartbeat = Math.ceil(Date.now() / 100) * 100 + 1_000;
        await tell(node.address, [rowOf(playedId(i), { left: "SIGTERM", heartbeat })]);
        await page.locator("#count-left b", { hasText: new RegExp(`^${i + 1}$`) }).waitFor();
      }),
    );
  }
  await pause(minutes * 60_000);
  const last = await memory(cdp);
  const rows = await showRows(page);
  const scrolled = await spent(cdp, updates, () => pause(QUIET_MS));
  const { script, all, bytes } = middleOf(changed.map(({ perUpdate }) => perUpdate));
  console.log([
    `${members} members`,
    `  the page: ${kB(html.length)} of HTML, ready in ${Math.min(...readyMs).toFixed(0)} ms`,
    `  a quiet update: ${words(quiet.perUpdate)}`,
    `  a change: ${words({ script, all, bytes })}`,
    `  memory: ${
      first.heapMB.toFixed(1)
    } MB of heap, ${first.nodes} DOM nodes; after ${minutes} min ` +
    `${last.heapMB.toFixed(1)} MB, ${last.nodes}`,
    `  a quiet update with ${rows} rows of the live shown: ${words(scrolled.perUpdate)}`,
  ].join("\n"));
  await context.close();
  end.abort();
  await played;
}

/** Shows the live members, as many rows as one can scroll to; resolves to their number. */
async function showRows(page: Page): Promise<number> {
  const rows = page.locator("#members tbody tr");
  await page.getByLabel("Filter").fill("live");
  for (let before = -1, count = 0; before < count; count = await rows.count()) {
    before = count;
    await rows.last().scrollIntoViewIfNeeded();
    await pause(SCROLL_MS);
  }
  return await rows.count();
}

interface Cost {
  /** Milliseconds of script, and of all that the page's thread did. */
  readonly script: number;
  readonly all: number;
  /** Bytes of the answers, without headers. */
  readonly bytes: number;
}

interface Spent {
  readonly perUpdate: Cost;
}

interface Updates {
  count: number;
  bytes: number;
}

/** Counts what the page asks for to keep itself live. */
function watchUpdates(page: Page): Updates {
  const updates = { count: 0, bytes: 0 };
  page.on("response", async (response) => {
    if (!/\/page\.json/.test(response.url())) return;
    const body = await response.body().catch(() => undefined);
    updates.count++;
    updates.bytes += body?.length ?? 0;
  });
  return updates;
}

async function spent(cdp: CDPSession, updates: Updates, run: () => Promise<void>): Promise<Spent> {
  const [before, { count, bytes }] = [await metrics(cdp), { ...updates }];
  await run();
  const after = await metrics(cdp);
  const times = Math.max(1, updates.count - count);
  const cost = (name: string) => 1_000 * (after.get(name)! - before.get(name)!) / times;
  return {
    perUpdate: {
      script: cost("ScriptDuration"),
      all: cost("TaskDuration"),
      bytes: (updates.bytes - bytes) / times,
    },
  };
}

async function metrics(cdp: CDPSession): Promise<Map<string, number>> {
  const { metrics } = await cdp.send("Performance.getMetrics");
  return new Map(metrics.map(({ name, value }) => [name, value]));
}

async function memory(cdp: CDPSession): Promise<{ heapMB: number; nodes: number }> {
  await cdp.send("HeapProfiler.collectGarbage");
  const now = await metrics(cdp);
  return { heapMB: now.get("JSHeapUsedSize")! / 1e6, nodes: now.get("Nodes")! };
}

/** The median of each. */
function middleOf(costs: readonly Cost[]): Cost {
  const middle = (of: (cost: Cost) => number) =>
    costs.map(of).sort((a, b) => a - b)[Math.floor(costs.length / 2)]!;
  return {
    script: middle((c) => c.script),
    all: middle((c) => c.all),
    bytes: middle((c) => c.bytes),
  };
}

function words({ script, all, bytes }: Cost): string {
  return `${script.toFixed(1)} ms of script, ${all.toFixed(1)} ms in all, ${kB(bytes)}`;
}

function kB(bytes: number): string {
  return `${(bytes / 1e3).toFixed(1)} kB`;
}

async function untilLive(page: Page): Promise<void> {
  await page.locator("#link", { hasText: "Connected" }).waitFor();
}

async function pause(ms: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms));
}
