/**
 * Makes the parts of the core, each given those that it needs: here one sees which of them know each other.
 *
 * @module
 */
import { Calls } from "./calls.ts";
import { type Moment, RunningClock } from "./clock.ts";
import { Contacts } from "./contacts.ts";
import { Exchanges } from "./exchange.ts";
import { Joining } from "./joining.ts";
import { Leaving } from "./leaving.ts";
import type { GossipOptions } from "./options.ts";
import { Pace } from "./pace.ts";
import { Replica } from "./replica.ts";
import { Rounds } from "./rounds.ts";
import { Suspicion } from "./suspicion.ts";
import { Tellings } from "./tellings.ts";

/** All that a node's core is made of. */
export type Parts = ReturnType<typeof assemble>;

/** Makes the parts of a node that starts now. */
export function assemble(options: GossipOptions, now: Moment) {
  const { id, address, boot, random, fineMembersMax, remembered = [] } = options;
  const seeds = options.seeds.filter((seed) => seed !== address);
  const awaitsSeeds = options.awaitsSeeds === true || seeds.length + remembered.length > 0;
  const pace = new Pace(options);
  const clock = new RunningClock(pace, now);
  const replica = new Replica({ id, address, boot, random, clock, pace, fineMembersMax });
  const contacts = new Contacts(seeds, { remembered, nowMs: now.monotonicMs });
  const joining = new Joining({ address, boot, pace, active: awaitsSeeds });
  const calls = new Calls({ address, replica, joining });
  const suspicion = new Suspicion({ id, pace, random, replica });
  const rounds = new Rounds({ address, pace, random, startMs: now.monotonicMs });
  const tellings = new Tellings(options, { replica, rounds });
  const parts = { replica, contacts, calls, suspicion, joining, rounds };
  const heardHost = () => tellings.cutOff.heard();
  const exchanges = new Exchanges({ id, address, boot, pace, random, heardHost, ...parts });
  const leaving = new Leaving({ id, random, replica, contacts, calls, joining, rounds });
  return { ...parts, clock, exchanges, leaving, tellings };
}
