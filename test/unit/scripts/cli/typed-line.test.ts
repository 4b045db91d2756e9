import { expect, it } from "vitest";
import { asTyped } from "../../../../scripts/cli/typed-line.ts";

it.each([
  ["Run `npm run pgw -- backup list` first.", "Run `npx pgw backup list` first."],
  ['url="$(npm run -s pgw -- url -r app)"', 'url="$(npx pgw url -r app)"'],
  ["stop: npm run down -- --stack dev", "stop: npx pgw down --stack dev"],
  ["npm run up", "npx pgw up"],
  ["npm run db:setup -- --write-env", "npx pgw setup --write-env"],
  ["npm run db:status, then `npm run db:migrate`", "npx pgw migrate status, then `npx pgw migrate up`"],
  ["npm run your-tests", "npm run your-tests"],
  ["npm run uploads and npm run db:other", "npm run uploads and npm run db:other"],
])("a project that uses the package is told npx pgw instead of an npm script of the checkout: %s", (text, typed) => {
  expect(asTyped(text, true)).toBe(typed);
  expect(asTyped(text, false)).toBe(text);
});
