import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type Docker from "dockerode";
import { beforeAll, describe, expect, it } from "vitest";
import { prometheusConfiguration, scheduleRules } from "../../../../infra/plan/monitoring.ts";
import { runInContainer } from "../../../../scripts/docker/run-in-container.ts";
import { cloneRoot } from "../../../clone-root.ts";
import { dockerObjects } from "../../docker-objects.ts";
import { putFiles } from "../../postgres-container.ts";
import { monitoringImage } from "../../postgres-image.ts";

const day = 86_400;

describe("the Prometheus configuration", () => {
  const objects = dockerObjects();
  const { docker } = objects;
  let container: Docker.Container;
  let alerts: string;
  beforeAll(async () => {
    alerts = await readFile(join(cloneRoot, "infra", "monitoring", "alerts.yml"), "utf8");
    container = await docker.createContainer({
      name: objects.name("promtool"),
      Image: await monitoringImage(),
      Cmd: ["sleep", "600"],
      HostConfig: { Init: true },
    });
    await putFiles(container, "/etc/pgroundwork", {
      "prometheus.yml": prometheusConfiguration({ project: "shop", stack: 'a "quoted" one' }),
      "rules/": "",
      "rules/alerts.yml": alerts,
      "rules/schedule.yml": scheduleRules({ full: day, incr: day / 4 }, 3),
      "rules/none.yml": scheduleRules({}, 0),
    });
    const promtool = await readFile(new URL("alerts.promtool.yml", import.meta.url), "utf8");
    await putFiles(container, "/var/lib/prometheus", {
      "alerts.yml": alerts,
      "schedule.yml": scheduleRules({ full: day, incr: day / 4 }, 3),
      "test.yml": promtool,
    });
    await container.start();
  });
  const promtool = async (...command: string[]) => {
    const { code, stdout, stderr } = await runInContainer(docker, container.id, { command: ["promtool", ...command] });
    return { code, said: `${stdout}${stderr}` };
  };

  it("is valid, including its rules", async () => {
    const { code, said } = await promtool("check", "config", "--lint-fatal", "/etc/pgroundwork/prometheus.yml");
    expect(said).toContain(`SUCCESS: ${alerts.match(/^ *- alert: /gm)?.length} rules found`);
    expect(said).toContain("SUCCESS: 3 rules found");
    expect(code, said).toBe(0);
  });

  it("fires each alert when its condition is met, and not just before", async () => {
    const { code, said } = await promtool("test", "rules", "/var/lib/prometheus/test.yml");
    expect(code, said).toBe(0);
  });

  it("gives every alert a severity, a summary and a description of what to do", async () => {
    const { parse } = await import("yaml");
    const { groups } = parse(alerts) as {
      groups: { rules: { alert: string; labels: { severity: string }; annotations: Record<string, string> }[] }[];
    };
    const rules = groups.flatMap((group) => group.rules);
    expect(new Set(rules.map(({ alert }) => alert)).size).toBe(rules.length);
    for (const { alert, labels, annotations } of rules) {
      expect(alert).toMatch(/^PostgreSQL[A-Z]/);
      expect(["critical", "warning"]).toContain(labels.severity);
      expect(annotations.summary, alert).toMatch(/\w/);
      expect(annotations.description, alert).toMatch(/\.$/);
    }
  });
});
