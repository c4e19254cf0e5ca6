/**
 * What reports are made of: who this node is, and where they read, remember and log.
 *
 * @module
 */
import type { Moment } from "../clock.ts";
import type { Gossip } from "../gossip.ts";
import type { Log } from "../log.ts";
import type { Past, PastChange } from "./past.ts";
import type { ToldLog } from "./told_log.ts";
import type { Transport } from "../net/transport.ts";

export interface ReportsOptions {
  readonly id: string;
  readonly address: string;
  /** 8 hex digits drawn when the process started. */
  readonly boot: string;
  readonly cluster: string;
  /** Whether the cluster has a key. */
  readonly keyed: boolean;
  /** Whether nodes call each other by HTTPS. */
  readonly tls: boolean;
  /** The version of the program. */
  readonly version: string;
  readonly now: () => Moment;
  readonly log: Log;
  readonly gossip: Gossip;
  readonly traffic: Transport["traffic"];
  /** For how long this node has heard nobody, in ms, where it is cut off; 0 otherwise. */
  readonly cutOffMs: () => number;
  readonly past: Past;
  readonly toldLog: ToldLog;
  /** Keeps a change for the past. */
  readonly remember: (change: Omit<PastChange, "atMs" | "by">) => void;
  /** Brings the verdicts up to the present. */
  readonly refresh: () => void;
}
