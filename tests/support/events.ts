/** A stream of events, as a node answers it: a command takes nothing else for one. */
export function events(body: BodyInit | undefined): Response {
  return new Response(body, { headers: { "content-type": "text/event-stream" } });
}
