import { execFileSync } from "node:child_process";
import { expect, it } from "vitest";
import { missingPackage } from "../../../../scripts/core/missing-package.ts";

/** Returns the error with which Node.js itself refuses an import. The test runner imports in its own way. */
function errorOf(specifier: string): Error {
  const script = `import("${specifier}").catch(({ code, message }) => console.log(JSON.stringify({ code, message })))`;
  const { code, message } = JSON.parse(execFileSync(process.execPath, ["--eval", script], { encoding: "utf8" }));
  return Object.assign(new Error(message), { code });
}

it("an import of a package that is not installed says which one it is, and how to install it", () => {
  for (const specifier of ["@acme/absent", "@acme/absent/part.js"])
    expect(missingPackage(errorOf(specifier))).toMatchObject({
      message: "The package @acme/absent is not installed.",
      hint: "Run: npm ci",
    });
});

it("another failure of an import is not taken for a missing package", () => {
  expect(missingPackage(errorOf("./absent.js"))).toBeUndefined();
  expect(missingPackage(new Error("Cannot find package 'absent'"))).toBeUndefined();
});
