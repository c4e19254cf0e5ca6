import { assertEquals } from "@std/assert";
import type { EndedExchange } from "../../lib/net/driver.ts";
import { contactViews, LastFailures } from "../../lib/report/contacts.ts";
import { Lab } from "../support/lab.ts";

function record(failures: LastFailures, to: string, outcome: EndedExchange["outcome"]): void {
  failures.record({ to, outcome, tookMs: 1 });
}

Deno.test("LastFailures tells how the last call to an address ended, until one is answered", () => {
  const failures = new LastFailures();
  record(failures, "a:1", "refused");
  record(failures, "a:1", "silent");
  record(failures, "b:1", "refused");
  assertEquals([failures.get("a:1"), failures.get("b:1")], ["silent", "refused"]);
  record(failures, "a:1", "answered");
  assertEquals([failures.get("a:1"), failures.get("b:1")], [undefined, "refused"]);
});

Deno.test("invariant 7: LastFailures keeps 256 addresses, those that failed last", () => {
  const failures = new LastFailures();
  for (let i = 0; i < 256; i++) record(failures, `h${i}:1`, "silent");
  record(failures, "h0:1", "silent");
  record(failures, "new:1", "silent");
  const kept = ["h0:1", "h1:1", "h2:1", "new:1"].map((address) => failures.get(address));
  assertEquals(kept, ["silent", undefined, "silent", "silent"]);
});

Deno.test("contactViews() says in words why an address has no member yet", () => {
  const lab = new Lab();
  const a = lab.start("A", { join: ["b:80"] });
  const failures = new LastFailures();
  const states = () => contactViews(a.gossip, failures).map(({ state }) => state);
  assertEquals(states(), ["no answer yet"]);
  lab.pass(2);
  record(failures, "b:80", "refused");
  assertEquals(states(), ["refuses connections: no answer to the last call"]);
  lab.pass(1_500);
  const [{ trouble, state } = { trouble: "", state: "" }] = contactViews(a.gossip, failures);
  assertEquals(trouble, "refuses connections");
  assertEquals(state.replace(/\d+/, "N"), `${trouble}: no answer to the last N calls`);
});
