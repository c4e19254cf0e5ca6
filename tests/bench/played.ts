/**
 * Members that only seem to be there: a node is told of them once, and of their heartbeats every second, as by one of
 * them.
 *
 * @module
 */
import { setTimeout as pause } from "node:timers/promises";
import { encodeColumns } from "../../lib/columns.ts";
import { HEARTBEAT_STEP_MS } from "../../lib/limits.ts";
import type { Report } from "../../lib/table.ts";
import { decodeMessage, encodeMessage } from "../../lib/wire.ts";

const PUSH_EVERY_MS = 1_000;

export interface PlayedOptions {
  /** The port of the node that is told. */
  readonly port: number;
  readonly members: number;
  /** Where the node's calls to them end: a port on which something listens. */
  readonly calledPort: number;
  /** Ends the play. */
  readonly signal: AbortSignal;
}

/** The ID of a member that is played: less than any that begins with a letter after "m". */
export function playedId(i: number): string {
  return `m${String(i).padStart(5, "0")}`;
}

/** Tells a node whose ID comes after those of all members; `told()` is called once it knows all of them. */
export async function play(
  { port, members, calledPort, signal }: PlayedOptions,
  told: () => void = () => {},
): Promise<void> {
  const now = floorStep(Date.now());
  const addressOf = (i: number) => `127.1.${i >> 8}.${i & 255}:${calledPort}`;
  const rows = Array.from({ length: members }, (_, i): Report => {
    const [id, address] = [playedId(i), addressOf(i)];
    return { id, address, boot: "00000001", heartbeat: now, ageMs: 500, left: "" };
  });
  const post = async (body: string) => {
    const url = `http://127.0.0.1:${port}/hello?from=${playedId(0)}&via=${addressOf(0)}`;
    const response = await fetch(url, { method: "POST", body });
    if (!response.ok) throw new Error(await response.text());
    return await response.text();
  };
  await post(encodeMessage({ roster: "0".repeat(16), rows, full: true }));
  told();
  for (;;) {
    await pause(PUSH_EVERY_MS, undefined, { signal }).catch(() => {});
    if (signal.aborted) return;
    const probe = decodeMessage(await post(encodeMessage({ roster: "0".repeat(16) })));
    if ("error" in probe) throw new Error(probe.error);
    const beat = floorStep(Date.now());
    // The node's own row is the last by ID.
    const columns = Array.from({ length: members + 1 }, (_, i) => {
      const ageMs = 500 + (i * 37) % 3_000;
      return {
        id: "",
        address: "",
        boot: "",
        left: "",
        heartbeat: i < members ? beat - floorStep(ageMs) : 0,
        heardAtMs: -ageMs,
      };
    });
    const beats = encodeColumns(columns, { ownHeartbeat: beat, nowMs: 0 });
    await post(encodeMessage({ roster: probe.roster, beat, beats }));
  }
}

/** Answers the node's calls to all members: they have its roster, and nothing to tell. */
export function answerCalls(): Deno.HttpServer<Deno.NetAddr> {
  const options = { hostname: "0.0.0.0", port: 0, onListen: () => {} };
  return Deno.serve(options, async (request) => {
    const message = decodeMessage(await request.text());
    if ("error" in message) throw new Error(message.error);
    return new Response(encodeMessage({ roster: message.roster }));
  });
}

function floorStep(ms: number): number {
  return Math.floor(ms / HEARTBEAT_STEP_MS) * HEARTBEAT_STEP_MS;
}
