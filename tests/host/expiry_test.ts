import { assertEquals } from "@std/assert";
import { expiryWarning } from "../../lib/host/expiry.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const EXPIRES_MS = Date.UTC(2026, 5, 30, 12);

Deno.test("expiryWarning() counts the days that are left of the last two weeks, down to none", () => {
  const warning = (leftMs: number) => expiryWarning("c.pem", EXPIRES_MS, EXPIRES_MS - leftMs);
  assertEquals(warning(14 * DAY_MS + 1), undefined);
  const of = (when: string) => `The certificate in c.pem expires ${when}, on 2026-06-30: renew it`;
  assertEquals(warning(14 * DAY_MS), of("in 14 days"));
  assertEquals(warning(47 * HOUR_MS), of("in 1 day"));
  assertEquals(warning(DAY_MS), of("in 1 day"));
  assertEquals(warning(23 * HOUR_MS), of("within a day"));
  assertEquals(warning(1), of("within a day"));
  assertEquals(warning(0), "The certificate in c.pem expired on 2026-06-30: renew it");
});
