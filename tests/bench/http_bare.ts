/**
 * The least a Deno server can do: read what comes, answer a constant of so many bytes, of a given type or none. Run by http.ts.
 *
 * @module
 */
const [size, type = ""] = Deno.args;
const text = "x".repeat(Number(size));
const body = type === "" ? new TextEncoder().encode(text) : text;
const init = type === "" ? undefined : { headers: { "content-type": type } };
Deno.serve({
  hostname: "127.0.0.1",
  port: 0,
  onListen: ({ port }) => console.error(`listens on http://127.0.0.1:${port}/`),
}, (request) => request.method === "POST" ? read(request) : new Response(body, init));

/** A longer body that nobody reads costs the connection. */
async function read(request: Request): Promise<Response> {
  await request.bytes();
  return new Response(body, init);
}
