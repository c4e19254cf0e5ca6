/** Views for the tests of the page. */
import { STATUS_MARK, STRIP_SAMPLES, STRIP_STEP_MS } from "../../lib/report/strips.ts";
import type { MemberDetails } from "../../lib/report/details.ts";
import type { ListedMember, PageView } from "../../lib/report/members.ts";
import type { Status } from "../../lib/table.ts";

/** A member with all that its row shows. */
export type PageMember = ListedMember & MemberDetails;

/** A member that was in its status for as long as its strip. */
export function member(
  id: string,
  status: Status = "live",
  more: Partial<PageMember> = {},
): PageMember {
  const known = status !== "unknown";
  return {
    id,
    address: `${id}.example:8080`,
    status,
    lastHeartbeat: known ? "2026-01-12T11:59:57.900Z" : null,
    ageMs: known ? 2_100 : null,
    reason: `because of ${id}`,
    since: null,
    remark: null,
    tags: {},
    ports: {},
    strip: {
      stepMs: STRIP_STEP_MS,
      samples: Array.from({ length: STRIP_SAMPLES }, () => known ? 1_000 : null),
      statuses: STATUS_MARK[status].repeat(STRIP_SAMPLES),
    },
    changes: [],
    tellings: 0,
    ...more,
  };
}

/** The page of a node n1 with these members, at noon. */
export function view(members: PageMember[], more: Partial<PageView> = {}): PageView {
  const self = {
    id: "n1",
    address: "host:8080",
    version: "1.2.3",
    cluster: "default",
    upMs: 3_600_000,
  };
  const times = { now: "2026-01-12T12:00:00.000Z", intervalMs: 1_000, deadAfterMs: 5_000 };
  const span = { fromMs: Date.parse("2026-01-12T11:50:00.000Z"), startedMs: 0 };
  const byId = new Map(members.map((member) => [member.id, member]));
  return {
    self,
    details: (id) => byId.get(id)!,
    ...times,
    ...span,
    members,
    contacts: [],
    cutOff: false,
    isStretched: false,
    quiet: [],
    tls: false,
    keyed: false,
    ...more,
  };
}
