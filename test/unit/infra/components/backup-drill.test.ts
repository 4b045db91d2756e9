import * as pulumi from "@pulumi/pulumi";
import { beforeAll, describe, expect, it } from "vitest";
import { BackupDrill } from "../../../../infra/components/backup-drill.ts";
import { DockerServer } from "../../../../infra/package/docker-server.ts";
import { recordResources, registered, value } from "./recorded-resources.ts";

function answer({ token }: pulumi.runtime.MockCallArgs): Record<string, unknown> {
  return token === "pgroundwork:index:dockerState" ? { known: true, imageTriggers: [] } : {};
}

describe("the container of restore drills", () => {
  let resources: Awaited<ReturnType<typeof recordResources>>;
  beforeAll(async () => {
    resources = await recordResources(answer);
    const server = await registered((options) => new DockerServer("drilled", { backups: true }, options));
    const args = {
      ...{ server, metrics: "metrics", backups: pulumi.output("backup") },
      plan: { schedule: "0 3 1 * *" },
      objectives: { rtoSeconds: 60 },
      checks: { shop: [{ file: "checks/010-a.sql", title: "a", query: "select 1" }] },
    };
    const drill = await registered((options) => new BackupDrill("drill", args, options));
    await value(drill.number);
  });

  it("has no network, no Docker socket, and limits for memory, CPU time and processes", () => {
    const { inputs } = resources.one("drill-container");
    expect(inputs).toMatchObject({
      ...{ networkMode: "none", readOnly: true, memory: 1024, memorySwap: 1024, cpuShares: 512 },
      ...{ capabilities: { drops: ["ALL"] }, securityOpts: ["no-new-privileges"] },
      command: ["backup-scheduler", "drill", "0 3 1 * *"],
    });
    expect(inputs).not.toHaveProperty("ports");
    expect(inputs).not.toHaveProperty("networksAdvanced");
    expect(JSON.stringify(inputs)).not.toContain("docker.sock");
    expect(resources.one("drill-limits").inputs).toMatchObject({ processes: 128 });
  });

  it("reads repository, configuration and plan, and writes only the copy, the evidence and the metrics", () => {
    const volumes = resources.one("drill-container").inputs.volumes as { containerPath: string; readOnly?: boolean }[];
    const paths = (wanted: boolean) =>
      volumes.filter(({ readOnly = false }) => readOnly === wanted).map(({ containerPath }) => containerPath);
    expect(paths(true)).toEqual(["/etc/pgroundwork", "/var/lib/pgbackrest", "/etc/pgroundwork-drill"]);
    expect(paths(false)).toEqual([
      "/var/lib/postgresql",
      "/var/lib/pgroundwork/evidence",
      "/var/lib/pgroundwork/metrics",
    ]);
  });

  it("has a volume of the stack for the evidence, and a plan with objectives and checks", () => {
    expect(resources.one("drill-evidence").inputs).toMatchObject({ name: expect.stringMatching(/-drill-evidence$/) });
    const files = resources.one("drill-files").inputs.files as Record<string, string>;
    const checks = { shop: [{ file: "checks/010-a.sql", title: "a", query: "select 1" }] };
    expect(JSON.parse(files["plan.json"] ?? "")).toMatchObject({ objectives: { rtoSeconds: 60 }, checks });
  });
});
