import type { Act, TimedAct } from "./plan.ts";
import { GoNode } from "./go_node.ts";
import { OurNode } from "./our_node.ts";
import type { World } from "./world.ts";

/** Does one act of a plan to the world; what is impossible by then (the node is down already) is left out. */
export function perform(world: World, act: TimedAct, healMs: number): void {
  const endMs = "forMs" in act ? Math.min(act.atMs + act.forMs, healMs) : 0;
  const { network } = world;
  const host = "id" in act ? world.host(act.id) : undefined;
  switch (act.kind) {
    case "start":
      if (world.host(act.node.id)?.up || !world.mayStart(act.node)) return;
      if (network.hostAt(act.node.address)?.up) return;
      if (act.node.go) world.startGo(act.node);
      else world.start(act.node);
      return;
    case "crash":
      if (host?.up) host.end(act.how);
      return;
    case "leave":
      if (host instanceof OurNode) host.leave("SIGTERM");
      else host?.end("closed");
      return;
    case "bye": {
      const at = world.host(act.at);
      if (at?.up) at.decommission(act.id);
      return;
    }
    case "forget": {
      const at = world.host(act.at);
      if (at instanceof OurNode && at.up) at.forget(act.id);
      return;
    }
    case "stall":
      host?.stall(act.how);
      world.at(endMs, () => host?.resume());
      return;
    case "starve":
      if (host instanceof GoNode) return;
      host?.starve(act.lagMs);
      world.at(endMs, () => host?.starve(0));
      return;
    case "say":
      if (host instanceof OurNode && host.up) host.say(act.failing, act.role);
      return;
    case "step wall":
      host?.stepWall(act.byMs);
      return;
    case "part": {
      const island = new Set(act.ids.flatMap((id) => world.host(id)?.address ?? []));
      network.links.part(island);
      world.at(endMs, () => network.links.part(undefined));
      return;
    }
    case "block":
    case "reject": {
      const from = world.host(act.from)?.address;
      const to = world.host(act.to)?.address;
      if (from === undefined || to === undefined) return;
      network.links[act.kind](from, to, true);
      world.at(endMs, () => network.links[act.kind](from, to, false));
      return;
    }
    case "storm":
      network.setWeather(act.weather);
      world.at(endMs, () => network.setWeather(world.options.weather));
      return;
    case "receiver": {
      const receiver = world.receiver(act.hook);
      receiver.mood = act.mood;
      world.at(endMs, () => receiver.mood = "well");
      return;
    }
    case "quiet": {
      const at = world.host(act.at);
      if (at instanceof OurNode && at.up) at.quiet(act.pattern, act.forMs);
      return;
    }
  }
}

/** Says in one line what an act does. */
export function describeAct(act: Act): string {
  const length = "forMs" in act ? ` for ${act.forMs / 1000} s` : "";
  switch (act.kind) {
    case "start": {
      const { id, address, seeds, clock, go, remembers } = act.node;
      const join = seeds.length > 0 ? `, joins ${seeds.join(" ")}` : ", joins nobody";
      const clocks = [
        clock.rate === 1 ? "" : `, clock ${((clock.rate - 1) * 100).toFixed(2)} % off`,
        clock.wallSkewMs === 0 ? "" : `, wall clock ${clock.wallSkewMs / 1000} s off`,
        clock.wallRate === 1 ? "" : `, its second ${clock.wallRate} s`,
      ];
      return `${id} starts${go ? " (Go)" : ""}${
        remembers ? " from its state file" : ""
      } at ${address}${join}${clocks.join("")}`;
    }
    case "crash":
      return act.how === "closed" ? `${act.id} is killed` : `${act.id}'s host is lost`;
    case "leave":
      return `${act.id} leaves`;
    case "bye":
      return `${act.id} is decommissioned at ${act.at}`;
    case "forget":
      return `${act.id} is to be forgotten at ${act.at}`;
    case "stall":
      return `${act.id} is ${act.how}${length}`;
    case "starve":
      return `${act.id} starves, up to ${act.lagMs} ms late${length}`;
    case "say":
      return `${act.id} says that it is '${act.role}', and '${act.failing}' fails`;
    case "step wall":
      return `${act.id}'s wall clock steps by ${act.byMs / 1000} s`;
    case "part":
      return `${act.ids.join(" ")} parted from the rest${length}`;
    case "block":
      return `nothing gets from ${act.from} to ${act.to}${length}`;
    case "reject":
      return `connections from ${act.from} to ${act.to} are refused${length}`;
    case "storm":
      return `${describeWeather(act.weather)}${length}`;
    case "receiver":
      return `whom ${act.hook} tells is ${act.mood}${length}`;
    case "quiet":
      return act.forMs === 0
        ? `${act.pattern} is to be quiet no more, says ${act.at}`
        : `${act.pattern} is to be quiet, says ${act.at},${length}`;
  }
}

export function describeWeather(weather: {
  latencyMs: number;
  lostShare: number;
  lateShare: number;
  lateMs: number;
  doubledShare: number;
}): string {
  const { latencyMs, lostShare, lateShare, lateMs, doubledShare } = weather;
  return [
    `latency ${latencyMs} ms`,
    `${lostShare * 100} % lost`,
    `${lateShare * 100} % up to ${lateMs} ms late`,
    `${doubledShare * 100} % doubled`,
  ].join(", ");
}
