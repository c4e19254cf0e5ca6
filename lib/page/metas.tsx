/** @jsxImportSource npm:hono@4.13.19/jsx */
/** What each page says of itself to the browser. */
export function Metas() {
  return (
    <>
      <meta charset="utf-8" />
      <meta name="viewport" content="width=device-width, initial-scale=1" />
      <meta name="color-scheme" content="light dark" />
    </>
  );
}
