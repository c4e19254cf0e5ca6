/**
 * The least a Deno server can do: a constant of so many bytes, of a given type or none. Run by http.ts.
 *
 * @module
 */
const [size, type = ""] = Deno.args;
const body = new TextEncoder().encode("x".repeat(Number(size)));
const init = type === "" ? undefined : { headers: { "content-type": type } };
Deno.serve({
  hostname: "127.0.0.1",
  port: 0,
  onListen: ({ port }) => console.error(`listens on http://127.0.0.1:${port}/`),
}, () => new Response(body, init));
