import { stripVTControlCharacters } from "node:util";
import { describe, expect, it } from "vitest";
import { describeChanges } from "../../../../scripts/cli/changes.ts";
import type { ResourceChange } from "../../../../scripts/stack/event-stream.ts";

const change = (name: string, rest: Partial<ResourceChange> = {}): ResourceChange => {
  return { action: "create", type: "postgresql:index/role:Role", name, properties: [], pending: [], ...rest };
};
const shop = (name: string, rest: Partial<ResourceChange> = {}) => change(name, { database: "shop", ...rest });

const created = [
  shop("shop-owner"),
  shop("shop-database", { type: "postgresql:index/database:Database" }),
  shop("shop-migrations", { type: "pgroundwork:index:Migrations", pending: ["000001-a.sql", "000002-b.sql"] }),
  shop("shop-seeds-dev", { type: "pgroundwork:index:Seeds", pending: ["010-dev.sql"] }),
];

function linesOf(kind: "preview" | "up", changes: ResourceChange[], all = false): string[] {
  return stripVTControlCharacters(describeChanges(kind, { changes, unchanged: 5 }, all)).split("\n");
}

describe("the description of changes", () => {
  it("shows a new database in one line, before and after up, and other changes as they are", () => {
    const changes = [change("server-monitor"), ...created, change("pend-app", { action: "update", database: "pend" })];
    expect(linesOf("preview", changes)).toEqual([
      "  + Role server-monitor",
      "  + database shop (4 resources, 2 migrations, 1 seed file; list: --all)",
      "  ~ Role pend-app",
      "5 to create, 1 to update, 5 unchanged",
    ]);
    expect(linesOf("up", changes)).toEqual([
      "  + database shop (4 resources, 2 migrations, 1 seed file; list: --all)",
      "  ~ Role pend-app",
      "5 created, 1 updated, 5 unchanged",
    ]);
  });

  it("lists every resource of a new database on request", () => {
    for (const kind of ["preview", "up"] as const) {
      expect(linesOf(kind, created, true).slice(0, -1)).toEqual([
        "  + Role shop-owner",
        "  + Database shop-database",
        "  + Migrations shop-migrations",
        "      000001-a.sql",
        "      000002-b.sql",
        "  + Seeds shop-seeds-dev",
        "      010-dev.sql",
      ]);
    }
  });

  it.each([
    ["adopts something", { action: "adopt", found: [] }],
    ["has unknown work", { pending: ["pending unknown, the server does not answer"] }],
    ["has a resource to update", { action: "update" }],
  ])("lists every resource of a database that %s", (_, rest) => {
    expect(linesOf("preview", [...created, shop("shop-app", rest)])).toContain("  + Role shop-owner");
  });

  it("lists the new resources of a database that exists", () => {
    expect(linesOf("preview", [shop("shop-reports")])[0]).toBe("  + Role shop-reports");
  });
});
