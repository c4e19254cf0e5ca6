import { assertEquals } from "@std/assert";
import { WaitingRoom } from "../../lib/http/waiting.ts";

/** A room of three places, and the names of those that were given up, in order. */
function openRoom() {
  const room = new WaitingRoom(3);
  const givenUp: string[] = [];
  const enter = (network: string, name: string) => room.enter(network, () => givenUp.push(name));
  return { room, givenUp, enter };
}

Deno.test("WaitingRoom.enter() takes the oldest place of the caller that has most, once all are taken", () => {
  const { room, givenUp, enter } = openRoom();
  enter("honest", "h1");
  enter("greedy", "g1");
  enter("greedy", "g2");
  assertEquals(givenUp, []);
  for (const name of ["g3", "g4", "g5"]) enter("greedy", name);
  assertEquals([givenUp, room.size], [["g1", "g2", "g3"], 3]);
  enter("honest", "h2");
  assertEquals(givenUp, ["g1", "g2", "g3", "g4"]);
});

Deno.test("WaitingRoom frees a place once, however often it is left or given up", () => {
  const { room, givenUp, enter } = openRoom();
  const first = enter("a", "a1");
  enter("a", "a2");
  first.leave();
  first.leave();
  assertEquals(room.size, 1);
  room.giveUpOne();
  room.giveUpOne();
  first.leave();
  assertEquals([givenUp, room.size], [["a2"], 0]);
});
