/**
 * What a node is made of: its identity, its pace, the texts and tools that the program read and made for it.
 *
 * @module
 */
import type { Said } from "../about.ts";
import type { Moment } from "../clock.ts";
import type { Network } from "../config/networks.ts";
import type { Hook } from "../hook.ts";
import type { Log } from "../log.ts";
import type { Signer } from "../net/signer.ts";
import type { Saved } from "./state_format.ts";
import type { Teller } from "./teller.ts";

/** What a node hands on at `/download`. */
export interface Downloads {
  /** The release folder; undefined for the binary alone. */
  readonly dist: string | undefined;
  /** The running binary; undefined when run from source. */
  readonly binary: { readonly name: string; readonly path: string } | undefined;
  /** This node's advertised address. */
  readonly address: string;
}

export interface NodeOptions {
  readonly id: string;
  /** This node's advertised `host:port`. */
  readonly address: string;
  /** Addresses to join, and `srv:` names. */
  readonly join: readonly string[];
  readonly cluster: string;
  /** The state file; undefined for none. */
  readonly state: string | undefined;
  /** What that file held. */
  readonly saved: Saved | undefined;
  /** What this node says of itself from the start. */
  readonly words: Partial<Said>;
  readonly dist: Downloads["dist"];
  readonly binary: Downloads["binary"];
  /** Signs and checks exchanges; undefined for a cluster without a key. */
  readonly signer: Signer | undefined;
  /** Networks that peers are called in; none: all but those that are no node's. */
  readonly allow: readonly Network[];
  /** Authorities to trust besides the usual ones, in PEM; where given, peers are called by HTTPS. */
  readonly caCerts: (() => string[]) | undefined;
  /** What else needs attention, in one line. */
  readonly warning: () => string | undefined;
  readonly intervalMs: number;
  readonly deadAfterMs: number;
  /** Of more members the pace is stretched. */
  readonly stretchMembers?: number;
  /** Infinity: no member is forgotten. */
  readonly forgetMs: number;
  /** What to do when a member changes. */
  readonly hooks: readonly Hook[];
  /** How long a change must last before hooks are told of it. */
  readonly tellAfterMs: number;
  /** Runs the hooks; undefined without any. */
  readonly teller: Pick<Teller, "tell" | "test" | "names"> | undefined;
  /** The program's version. */
  readonly version: string;
  readonly now: () => Moment;
  readonly random: () => number;
  readonly log: Log;
  /** The node has to end, for good. */
  readonly onStop: (status: 0 | 1, text: string) => void;
}
