import { expect, it } from "vitest";
import { cloneRoot as rootOfPlugin, stackOf } from "../../../../infra/provider/stack-of.ts";
import { cloneRoot } from "../../../clone-root.ts";

it("a resource's stack and project are read from its identity", () => {
  const urn =
    "urn:pulumi:staging::shop::pgroundwork:components:EmbeddedServer$pgroundwork:index:EmbeddedServer::server";
  expect(stackOf(urn)).toEqual({ stack: "staging", project: "shop" });
});

it("the plugin knows the clone that it is part of", () => {
  expect(rootOfPlugin).toBe(cloneRoot);
});
