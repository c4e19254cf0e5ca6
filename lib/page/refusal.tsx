/** @jsxImportSource npm:hono@4.13.19/jsx */
/** The page that says why a form was refused, to who has no script that shows it in place. */
import { Metas } from "./metas.tsx";

/** The page as HTML; `line` is all that it says, and `style` is the path of its style. */
export function renderRefusal(line: string, style: string): string {
  const page = (
    <html lang="en">
      <head>
        <Metas />
        <title>Not done - Gossiper</title>
        <link rel="stylesheet" href={style} />
      </head>
      <body>
        <main>
          <div class="bye-form">
            <h1>Not done</h1>
            <p>{line}</p>
            <p class="acts">
              <a class="button" href="./">To the members</a>
            </p>
          </div>
        </main>
      </body>
    </html>
  );
  return `<!doctype html>${page}`;
}
