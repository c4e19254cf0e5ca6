/**
 * What a round does: beat, drop what is old, call others.
 *
 * @module
 */
import type { Parts } from "./assemble.ts";
import type { Turn } from "./effects.ts";

/** Begins a round; `random` is uniform in [0, 1). */
export function runRound(turn: Turn, parts: Parts, random: () => number): void {
  const { replica, contacts, calls, joining, rounds, tellings } = parts;
  const { monotonicMs } = turn.now;
  replica.beat(turn.now, turn.nowMs);
  replica.recall(turn.nowMs);
  replica.forgotten.expire(turn.nowMs);
  tellings.expire();
  const { live: all, gone, hung } = replica.verdicts.last;
  const { evidence } = replica;
  const live = calls.callable(random);
  const due = contacts.due(monotonicMs, (id) => calls.isPresent(id, turn.nowMs));
  const alone = joining.active;
  const stepInMs = replica.stepInMs(turn.nowMs);
  calls.push(turn, rounds.begin(turn, { live, all, hung, gone, due, alone, evidence, stepInMs }));
  calls.push(turn, replica.spread.untold(live, turn.nowMs));
  if (alone) rounds.awaitContact(contacts, monotonicMs);
}
