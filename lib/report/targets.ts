/**
 * `GET /sd`: the live members as targets for Prometheus' HTTP service discovery. (pure)
 *
 * @module
 */
import { tagLabels } from "./prometheus.ts";
import type { ListedMember } from "./members.ts";

/** One entry of the answer: an address to scrape, and its labels. */
export interface TargetGroup {
  /** One `host:port`. */
  readonly targets: readonly string[];
  /**
   * `__meta_gossiper_id`, `__meta_gossiper_cluster` and `__meta_gossiper_tag_KEY`, for relabelling; where nodes speak
   * HTTPS, `__scheme__`.
   */
  readonly labels: Readonly<Record<string, string>>;
}

/** A group per member that has an address, so that each has its own labels. */
export function targetGroups(
  members: readonly Pick<ListedMember, "id" | "address" | "tags">[],
  { cluster, tls }: { cluster: string; tls: boolean },
): TargetGroup[] {
  return members.filter(({ address }) => address !== "").map(({ id, address, tags }) => ({
    targets: [address],
    labels: {
      __meta_gossiper_id: id,
      __meta_gossiper_cluster: cluster,
      ...tagLabels(tags, "__meta_gossiper_tag_"),
      ...(tls && { __scheme__: "https" }),
    },
  }));
}
