import { fileURLToPath } from "node:url";
import { outdatedPages } from "./pages.ts";

// `npm run docs`: the pages' generated parts, from the tool itself.
for (const file of await outdatedPages(fileURLToPath(new URL("../..", import.meta.url)), true)) {
  process.stdout.write(`${file} was brought up to date\n`);
}
