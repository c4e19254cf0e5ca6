import { assertEquals } from "@std/assert";
import { News, NEWS_INTERVALS } from "../lib/news.ts";

Deno.test("news travels for as many intervals as it takes to reach all, and anew where it changes", () => {
  const news = new News({ newsMs: NEWS_INTERVALS * 1_000 });
  const endMs = NEWS_INTERVALS * 1_000;
  const at = (nowMs: number) => {
    news.expire(nowMs);
    return news.names();
  };
  news.note("n1", 0);
  news.note("n2", 500);
  news.note("n3", 500);
  news.note("n2", 600);
  news.forget("n3");
  assertEquals(at(endMs - 1), ["n1", "n2"]);
  assertEquals(at(endMs), ["n2"]);
  assertEquals(at(endMs + 599), ["n2"]);
  assertEquals(at(endMs + 600), []);
});
