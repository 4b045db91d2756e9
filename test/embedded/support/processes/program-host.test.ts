import { afterAll, beforeAll, expect, test } from "vitest";
import { type Clone, makeClone } from "../../clone.ts";

let clone: Clone;

beforeAll(async () => {
  clone = await makeClone();
  await clone.configure({ databases: [] });
});

afterAll(() => clone.remove());

test("a program's message about a resource that fails does not suppress the messages of later runs", async () => {
  await clone.write(
    "infra/program.ts",
    `import { log } from "@pulumi/pulumi";
const failed = { urn: { promise: () => Promise.reject(new Error("the resource failed")) } };
await log.warn("about a failed resource", failed as never);
export default {};
`,
  );
  await clone.pgw("preview");
  await clone.write(
    "infra/program.ts",
    `import { log } from "@pulumi/pulumi";
await log.warn("of a later run");
throw new Error("reported by a later run");
`,
  );
  const { code, stderr } = await clone.pgw("preview");
  expect(code).toBe(1);
  expect(stderr).toContain("of a later run");
  expect(stderr).toContain("reported by a later run");
});
