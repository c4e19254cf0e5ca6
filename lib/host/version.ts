/** What `-version` prints. (pure) */

import build from "./build.json" with { type: "json" };

/** The line that tells one build from another: version, commit, runtime and target. */
export function versionLine(version: string, on: { deno: string; target: string }): string {
  return `gossiper ${version} (commit ${build.commit}, Deno ${on.deno}, ${on.target})`;
}
