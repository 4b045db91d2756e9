import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type Docker from "dockerode";
import getPort from "get-port";
import pRetry from "p-retry";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { alertmanagerCommand, alertmanagerVolume } from "../../../../infra/plan/alerts.ts";
import { sendTestAlert } from "../../../../scripts/health/alert-test.ts";
import { type Alertmanager, addSilence, amtool, knownAlerts } from "../../../../scripts/health/alertmanager.ts";
import type { Alerts } from "../../../../scripts/model/alerts.ts";
import { cloneRoot } from "../../../clone-root.ts";
import { dockerObjects } from "../../docker-objects.ts";
import { putFiles } from "../../postgres-container.ts";
import { monitoringImage } from "../../postgres-image.ts";
import { type Delivered, httpReceiver, mailReceiver, type Received, type Receiver } from "../../receivers.ts";

const login = { user: "alerts", password: "a-password-of-mail" };
const polling = { timeout: 30_000, interval: 200 };

/** Alertmanager's JSON, as far as the tests read it. */
interface Payload {
  status: string;
  groupKey: string;
  alerts: { status: string; labels: Record<string, string>; annotations: Record<string, string>; startsAt: string }[];
}

describe("a message about an alert", () => {
  const objects = dockerObjects();
  const { docker } = objects;
  let container: Docker.Container;
  let alertmanager: Alertmanager;
  let webhook: Receiver<Received> & { answer: number };
  let slack: typeof webhook;
  let mail: Receiver<Delivered>;
  let alerts: Alerts;
  let url: string;

  beforeAll(async () => {
    [webhook, slack, mail] = await Promise.all([httpReceiver(), httpReceiver(), mailReceiver(login)]);
    alerts = {
      email: {
        ...{ to: ["team@example.com", "night@example.com"], from: "pgroundwork@example.com" },
        // Go sends a password without TLS to this name only.
        ...{ host: "localhost", port: mail.port, ...login, tls: false },
      },
      webhook: { url: `http://127.0.0.1:${webhook.port}/hook?key=of-the-hook`, token: "a-token-of-the-hook" },
      slack: { url: `http://127.0.0.1:${slack.port}/services/of-slack`, channel: "#database" },
      heartbeat: { url: `http://127.0.0.1:${webhook.port}/of-the-heart`, minutes: 1 },
      links: "https://git.example.com/team/",
    };
    const templates = await readFile(join(cloneRoot, "infra/monitoring/alerts.tmpl"), "utf8");
    const files = alertmanagerVolume(alerts, templates);
    const configuration = files["alertmanager.yml"] ?? "";
    const port = await getPort({ host: "127.0.0.1" });
    container = await docker.createContainer({
      name: objects.name("alertmanager"),
      Image: await monitoringImage(),
      Cmd: alertmanagerCommand.map((word) => word.replace(/(listen-address=):9093/, `$1127.0.0.1:${port}`)),
      HostConfig: { Init: true, NetworkMode: "host" },
    });
    await putFiles(container, "/etc/pgroundwork", {
      "secrets/": "",
      "templates/": "",
      ...files,
      "alertmanager.yml": quick(configuration),
    });
    await container.start();
    url = `http://127.0.0.1:${port}`;
    await pRetry(() => fetch(`${url}/-/ready`), { retries: 50, factor: 1, minTimeout: 200 });
    alertmanager = { docker, container: container.id, port };
  });
  afterAll(() => Promise.all([webhook, slack, mail].map((receiver) => receiver?.stop())));
  beforeEach(() => {
    for (const { messages } of [webhook, slack, mail]) messages.splice(0);
  });

  /** Shortens the intervals of a configuration. */
  function quick(text: string): string {
    const shorter = [
      ['"group_wait": "30s"', '"group_wait": "1s"'],
      ['"group_interval": "5m"', '"group_interval": "3s"'],
    ] as const;
    return shorter.reduce((before, [from, to]) => {
      if (!before.includes(from)) throw new Error(`The configuration has no ${from}.`);
      return before.replace(from, to);
    }, text);
  }

  const began = new Date(Date.now() - 60_000);
  /** Reports an alert as Prometheus does: it sends the alert's labels, annotations and times. */
  const report = async (name: string, ended?: Date) => {
    const alert = {
      labels: { alertname: name, severity: "critical", project: "shop", stack: "production" },
      annotations: {
        summary: `Summary of ${name}`,
        value: "97 % <b>full</b>",
        description: "Do this & that.",
        runbook: `infra/monitoring/runbook.md#${name.toLowerCase()}`,
      },
      startsAt: began.toISOString(),
      endsAt: (ended ?? new Date(Date.now() + 600_000)).toISOString(),
    };
    const response = await fetch(`${url}/api/v2/alerts`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify([alert]),
    });
    expect(response.status).toBe(200);
  };
  const payloads = (name: string) =>
    webhook.messages
      .map(({ body }) => body as Payload)
      .filter(({ alerts: [first] }) => first?.labels.alertname === name);
  const states = (name: string) => payloads(name).map(({ status }) => status);
  const mails = (name: string) => mail.messages.filter(({ text: body = "" }) => body.includes(name));
  const second = (date: Date) => date.toISOString().slice(0, 19).replace("T", " ");
  const silentFor = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

  it("is sent to every receiver once when the alert begins and once when it ends", async () => {
    await report("PostgreSQLStorageCritical");
    await expect.poll(() => states("PostgreSQLStorageCritical"), polling).toEqual(["firing"]);
    await expect.poll(() => mails("PostgreSQLStorageCritical").length, polling).toBe(1);
    await expect.poll(() => slack.messages.length, polling).toBe(1);
    // Prometheus reports an alert again and again. Three intervals of the group pass.
    await report("PostgreSQLStorageCritical");
    await silentFor(9_000);
    const ended = new Date();
    await report("PostgreSQLStorageCritical", ended);
    await expect.poll(() => states("PostgreSQLStorageCritical"), polling).toEqual(["firing", "resolved"]);
    await expect
      .poll(() => [mails("PostgreSQLStorageCritical").length, slack.messages.length], polling)
      .toEqual([2, 2]);

    const [first, last] = mails("PostgreSQLStorageCritical");
    expect(first?.subject).toBe("[CRITICAL] shop/production: Summary of PostgreSQLStorageCritical");
    expect(last?.subject).toBe("[ENDED] shop/production: Summary of PostgreSQLStorageCritical");
    expect(first?.recipients).toEqual(["team@example.com", "night@example.com"]);
    expect(first?.text?.trim().split(/\r?\n/)).toEqual([
      "PostgreSQLStorageCritical: Summary of PostgreSQLStorageCritical",
      `Since: ${second(began)} UTC`,
      "Value: 97 % <b>full</b>",
      "Do this & that.",
      "Runbook: https://git.example.com/team/infra/monitoring/runbook.md#postgresqlstoragecritical",
    ]);
    expect(last?.text).toContain(`Ended: ${second(ended)} UTC (began ${second(began)} UTC)`);
    const ids = [first, last].map((email) => email?.headers.find(({ key }) => key === "x-alert-ids")?.value ?? "");
    expect(ids[0]).toMatch(new RegExp(`^[0-9a-f]{16}-${Math.floor(began.getTime() / 1_000)}-firing$`));
    expect(ids[1]).toBe(ids[0]?.replace("firing", "resolved"));

    const [hook] = webhook.messages.filter(({ path }) => path.startsWith("/hook"));
    expect(hook?.path).toBe("/hook?key=of-the-hook");
    expect(hook?.headers.authorization).toBe("Bearer a-token-of-the-hook");
    const [post] = slack.messages;
    expect(post?.body).toMatchObject({
      channel: "#database",
      attachments: [{ title: "[CRITICAL] shop/production: Summary of PostgreSQLStorageCritical", color: "danger" }],
    });
    expect(JSON.stringify(post?.body)).toContain("Value: 97 %");
  });

  it("arrives once after its receivers were down, for the beginning and for the end", async () => {
    const receivers = [webhook, mail];
    const stop = () => Promise.all(receivers.map((receiver) => receiver.stop()));
    const start = () => Promise.all(receivers.map((receiver) => receiver.start()));
    await stop();
    await report("PostgreSQLDown");
    await expect.poll(() => slack.messages.length, polling).toBe(1);
    await silentFor(4_000);
    await start();
    await expect
      .poll(() => [states("PostgreSQLDown"), mails("PostgreSQLDown").length], polling)
      .toEqual([["firing"], 1]);

    await stop();
    await report("PostgreSQLDown", new Date());
    await expect.poll(() => slack.messages.length, polling).toBe(2);
    await silentFor(4_000);
    await start();
    await expect
      .poll(() => [states("PostgreSQLDown"), mails("PostgreSQLDown").length], polling)
      .toEqual([["firing", "resolved"], 2]);
    await silentFor(4_000);
    expect([states("PostgreSQLDown"), mails("PostgreSQLDown").length]).toEqual([["firing", "resolved"], 2]);
    const keys = payloads("PostgreSQLDown").map(({ groupKey, alerts: [alert] }) => [groupKey, alert?.startsAt]);
    expect(keys[1]).toEqual(keys[0]);
  });

  it("is held back by a silence only if the alert begins during it", async () => {
    await report("PostgreSQLDown");
    await expect.poll(() => states("PostgreSQLDown"), polling).toEqual(["firing"]);
    const known = await knownAlerts(alertmanager);
    expect(known).toEqual(["PostgreSQLDown"]);
    await addSilence(alertmanager, { known, comment: "a test", seconds: 12 });
    await report("PostgreSQLUnknown");
    await report("PostgreSQLArchiveStale");
    await report("PostgreSQLDown", new Date());
    await expect.poll(() => states("PostgreSQLDown"), polling).toEqual(["firing", "resolved"]);
    await report("PostgreSQLArchiveStale", new Date());
    await silentFor(4_000);
    expect([states("PostgreSQLUnknown"), states("PostgreSQLArchiveStale")]).toEqual([[], []]);
    // The silence ends by itself, and the alert still fires.
    await expect.poll(() => states("PostgreSQLUnknown"), polling).toEqual(["firing"]);
    expect(states("PostgreSQLArchiveStale")).toEqual([]);
    await report("PostgreSQLUnknown", new Date());
    await expect.poll(() => states("PostgreSQLUnknown"), polling).toEqual(["firing", "resolved"]);
  });

  it("of the heartbeat goes to the heartbeat's URL alone, and is not silenced", async () => {
    await addSilence(alertmanager, { known: [], comment: "a test", seconds: 5 });
    await report("PostgreSQLHeartbeat");
    const paths = () => webhook.messages.map(({ path }) => path).filter((path) => path.includes("heart"));
    await expect.poll(paths, polling).toEqual(["/of-the-heart"]);
    expect(states("PostgreSQLHeartbeat")).toEqual(["firing"]);
    const others = [...mails("PostgreSQLHeartbeat"), ...slack.messages].filter((each) =>
      /Heartbeat/.test(JSON.stringify(each)),
    );
    expect(others).toEqual([]);
    await report("PostgreSQLHeartbeat", new Date());
  });

  it("is tried with a test alert, which tells which receiver accepted it", async () => {
    const labels = { project: "shop", stack: 'a "quoted" one' };
    const accepted = await sendTestAlert(alertmanager, { labels, timeoutMs: 20_000 });
    expect(accepted).toEqual(["email", "webhook", "slack"].map((channel) => ({ channel, accepted: true })));
    expect(mails("PostgreSQLTestAlert").map(({ subject }) => subject)).toEqual([
      '[TEST] shop/a "quoted" one: This is a test. Nothing is wrong.',
    ]);
    slack.answer = 404;
    await mail.stop();
    const refused = await sendTestAlert(alertmanager, { labels, timeoutMs: 3_000 });
    await mail.start();
    slack.answer = 200;
    expect(refused).toEqual([
      { channel: "email", accepted: false, reason: expect.stringContaining("connection refused") },
      { channel: "webhook", accepted: true },
      { channel: "slack", accepted: false, reason: expect.stringMatching(/404|4xx/) },
    ]);
    expect(JSON.stringify(refused)).not.toMatch(/of-the-hook|of-slack|a-password/);
  });

  it("needs no secret in a place that others read", async () => {
    const secrets = [login.password, "of-the-hook", "of-slack", "of-the-heart"];
    const status = await (await fetch(`${url}/api/v2/status`)).text();
    const configuration = await amtool(alertmanager, ["config", "show"]);
    for (const text of [status, configuration, JSON.stringify(await container.inspect())])
      for (const secret of secrets) expect(text).not.toContain(secret);
    expect(status).toContain("pgroundwork.title");
  });
});
