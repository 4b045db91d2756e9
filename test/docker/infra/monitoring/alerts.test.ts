import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type Docker from "dockerode";
import { beforeAll, describe, expect, it } from "vitest";
import { heartbeatRules } from "../../../../infra/plan/alerts.ts";
import { prometheusConfiguration, scheduleRules } from "../../../../infra/plan/monitoring.ts";
import { runInContainer } from "../../../../scripts/docker/run-in-container.ts";
import { cloneRoot } from "../../../clone-root.ts";
import { dockerObjects } from "../../docker-objects.ts";
import { putFiles } from "../../postgres-container.ts";
import { monitoringImage } from "../../postgres-image.ts";
import { ruleTests } from "./rule-tests.ts";

const day = 86_400;

describe("the Prometheus configuration", () => {
  const objects = dockerObjects();
  const { docker } = objects;
  let container: Docker.Container;
  let alerts: string;
  let poolerAlerts: string;
  let healthAlerts: string;
  const ruleTestFiles: string[] = [];
  beforeAll(async () => {
    alerts = await readFile(join(cloneRoot, "infra", "monitoring", "alerts.yml"), "utf8");
    poolerAlerts = await readFile(join(cloneRoot, "infra", "monitoring", "pooler-alerts.yml"), "utf8");
    healthAlerts = await readFile(join(cloneRoot, "infra", "monitoring", "health-alerts.yml"), "utf8");
    container = await docker.createContainer({
      name: objects.name("promtool"),
      Image: await monitoringImage(),
      Cmd: ["sleep", "600"],
      // Collecting garbage less often saves a quarter of promtool's CPU time.
      Env: ["GOGC=400"],
      HostConfig: { Init: true },
    });
    await putFiles(container, "/etc/pgroundwork", {
      "prometheus.yml": prometheusConfiguration(
        { project: "shop", stack: 'a "quoted" one' },
        { pooler: true, alerts: true, health: true },
      ),
      "rules/": "",
      "rules/alerts.yml": alerts,
      "rules/pooler-alerts.yml": poolerAlerts,
      "rules/health-alerts.yml": healthAlerts,
      "health-token": "a token",
      "rules/schedule.yml": scheduleRules({ full: day, incr: day / 4 }, 3, { drill: 40 * day, dump: 2 * day }),
      "rules/none.yml": scheduleRules({}, 0),
      "rules/heartbeat.yml": heartbeatRules({ heartbeat: { url: "http://h", minutes: 5 }, links: "" }),
    });
    const schedule = scheduleRules({ full: day, incr: day / 4 }, 3, { drill: 40 * day, dump: 2 * day });
    const rules = {
      ...{ "alerts.yml": alerts, "schedule.yml": schedule },
      ...{ "pooler-alerts.yml": poolerAlerts, "health-alerts.yml": healthAlerts },
    };
    for (const name of ["alerts", "slow-alerts", "pooler-alerts", "health-alerts"]) {
      const text = await readFile(new URL(`${name}.promtool.yml`, import.meta.url), "utf8");
      const { tests, files } = ruleTests(name, text, rules);
      await putFiles(container, "/var/lib/prometheus", files);
      ruleTestFiles.push(...tests.map((file) => `/var/lib/prometheus/${file}`));
    }
    await container.start();
  });
  const promtool = async (...command: string[]) => {
    const { code, stdout, stderr } = await runInContainer(docker, container.id, { command: ["promtool", ...command] });
    return { code, said: `${stdout}${stderr}` };
  };

  it("is valid, including its rules", async () => {
    const { code, said } = await promtool("check", "config", "--lint-fatal", "/etc/pgroundwork/prometheus.yml");
    expect(said).toContain(`SUCCESS: ${alerts.match(/^ *- alert: /gm)?.length} rules found`);
    expect(said).toContain(`SUCCESS: ${poolerAlerts.match(/^ *- alert: /gm)?.length} rules found`);
    expect(said).toContain(`SUCCESS: ${healthAlerts.match(/^ *- alert: /gm)?.length} rules found`);
    expect(said).toContain("SUCCESS: 5 rules found");
    expect(said).toContain("SUCCESS: 1 rules found");
    expect(code, said).toBe(0);
  });

  it("fires each alert when its condition is met, and not just before", async () => {
    const { code, said } = await promtool("test", "rules", ...ruleTestFiles);
    expect(code, said).toBe(0);
    expect(said.match(/SUCCESS/g)).toHaveLength(ruleTestFiles.length);
  });

  it("gives every alert a severity, a summary, a value, a description and a section of the runbook", async () => {
    const { parse } = await import("yaml");
    type Rule = { alert: string; labels: { severity: string }; annotations: Record<string, string> };
    const rules = [alerts, poolerAlerts, healthAlerts].flatMap((text) =>
      (parse(text) as { groups: { rules: Rule[] }[] }).groups.flatMap((group) => group.rules),
    );
    expect(new Set(rules.map(({ alert }) => alert)).size).toBe(rules.length);
    for (const { alert, labels, annotations } of rules) {
      expect(alert).toMatch(/^(PostgreSQL|Pooler|Health)[A-Z]/);
      expect(["critical", "warning"]).toContain(labels.severity);
      expect(annotations.summary, alert).toMatch(/\w/);
      expect(annotations.description, alert).toMatch(/\.$/);
      expect(annotations.value, alert).toMatch(/\w/);
      expect(annotations.runbook, alert).toBe(`infra/monitoring/runbook.md#${alert.toLowerCase()}`);
    }
    const runbook = await readFile(join(cloneRoot, "infra", "monitoring", "runbook.md"), "utf8");
    const sections = [...runbook.matchAll(/^### (.*)$/gm)].map(([, title]) => title);
    expect(sections.sort()).toEqual(rules.map(({ alert }) => alert).sort());
  });

  it("lists in its page the alerts that no test produces on a live stack", async () => {
    const folder = join(cloneRoot, "test", "docker");
    const files = (await readdir(folder, { recursive: true })).filter((file) => file.endsWith(".ts"));
    const texts = await Promise.all(files.map((file) => readFile(join(folder, file), "utf8")));
    const names = [alerts, poolerAlerts, healthAlerts].flatMap((text) =>
      [...text.matchAll(/^ *- alert: (.*)$/gm)].map(([, name = ""]) => name),
    );
    const notLive = names.filter((name) => !texts.some((text) => text.includes(`"${name}"`)));
    const page = await readFile(join(cloneRoot, "infra", "monitoring", "README.md"), "utf8");
    const [, listed = ""] = /promtool only:\n\n(.*?)\n\n/s.exec(page) ?? [];
    expect(listed.match(/`\w+`/g)?.map((name) => name.slice(1, -1))).toEqual(notLive.sort());
  });
});
