import { expect, it } from "vitest";
import { cloneRoot as rootOfPlugin, stackOf } from "../../../../../infra/provider/inputs/stack-of.ts";
import { cloneRoot } from "../../../../clone-root.ts";

it("the stack and project of a resource are read from its URN", () => {
  const urn =
    "urn:pulumi:staging::shop::pgroundwork:components:EmbeddedServer$pgroundwork:index:EmbeddedServer::server";
  expect(stackOf(urn)).toEqual({ stack: "staging", project: "shop" });
});

it("the plugin knows its project directory", () => {
  expect(rootOfPlugin).toBe(cloneRoot);
});
