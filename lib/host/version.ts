/** The text of `-version`. (pure) */
import build from "./build.json" with { type: "json" };

/** One line that identifies the build: version, commit, runtime and target. */
export function versionLine(version: string, on: { deno: string; target: string }): string {
  return `gossiper ${version} (commit ${build.commit}, Deno ${on.deno}, ${on.target})`;
}
