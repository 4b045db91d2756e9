import { fileURLToPath } from "node:url";
import { outdatedPages } from "./pages.ts";

// `npm run docs`: updates the generated parts of the pages.
for (const file of await outdatedPages(fileURLToPath(new URL("../../..", import.meta.url)), true)) {
  process.stdout.write(`updated ${file}\n`);
}
