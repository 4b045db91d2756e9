import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { alertmanagerVolume, heartbeatRules } from "../../../../infra/plan/alerts.ts";

interface Configuration {
  route: { receiver: string; routes: { receiver: string; repeat_interval?: string }[] };
  receivers: { name: string; [channel: `${string}_configs`]: Record<string, unknown>[] }[];
  inhibit_rules?: unknown;
}
const configurationOf = (files: Record<string, string>) => parse(files["alertmanager.yml"] ?? "") as Configuration;

const links = "https://git.example.com/";
const email = { to: ["a@example.com"], from: "b@example.com", host: "mail.example.com", port: 587, tls: true };

describe("the configuration of Alertmanager", () => {
  it("contains no secret, and names the files that contain them", () => {
    const files = alertmanagerVolume(
      {
        ...{ email: { ...email, user: "u", password: "secret-1" }, slack: { url: "https://secret-2" }, links },
        ...{
          webhook: { url: "https://secret-3", token: "secret-4" },
          heartbeat: { url: "https://secret-5", minutes: 5 },
        },
      },
      "texts",
    );
    expect(files["alertmanager.yml"]).not.toContain("secret-");
    const texts = JSON.stringify(configurationOf(files));
    const secrets = Object.entries(files).filter(([, text]) => text.includes("secret-"));
    expect(secrets).toHaveLength(5);
    for (const [file] of secrets) expect(texts).toContain(`/etc/pgroundwork/${file}`);
  });

  it("has only the given receivers, and a test of each that reports no end", () => {
    const configuration = configurationOf(alertmanagerVolume({ email, links: "" }, ""));
    expect(configuration.receivers.map(({ name }) => name)).toEqual(["team", "test"]);
    const [team, test] = configuration.receivers;
    expect(Object.keys(team ?? {})).toEqual(["name", "email_configs"]);
    expect(test?.email_configs).toEqual([{ ...team?.email_configs?.[0], send_resolved: false }]);
    expect(team?.email_configs?.[0]).toMatchObject({ smarthost: "mail.example.com:587", require_tls: true });
    expect(configuration.route.routes.map(({ receiver }) => receiver)).toEqual(["test"]);
  });

  it("inhibits no alert, because the end of an inhibited alert is never reported", () => {
    expect(configurationOf(alertmanagerVolume({ email, links: "" }, ""))).not.toHaveProperty("inhibit_rules");
  });

  it("uses TLS from the start on port 465", () => {
    const { receivers } = configurationOf(alertmanagerVolume({ email: { ...email, port: 465 }, links: "" }, ""));
    // Alertmanager refuses to require STARTTLS where TLS is on already.
    expect(receivers[0]?.email_configs?.[0]).toMatchObject({ smarthost: "mail.example.com:465", require_tls: false });
  });

  it("sends the heartbeat at least as often as its settings say", () => {
    const heartbeat = { url: "https://h", minutes: 5 };
    const { route } = configurationOf(alertmanagerVolume({ email, heartbeat, links: "" }, ""));
    expect(route.routes.at(-1)).toMatchObject({
      receiver: "heartbeat",
      group_interval: "30s",
      repeat_interval: "270s",
    });
    expect(parse(heartbeatRules({ heartbeat, links: "" }))).toMatchObject({
      groups: [{ rules: [{ alert: "PostgreSQLHeartbeat", expr: "vector(1)" }] }],
    });
    expect(parse(heartbeatRules({ email, links: "" }))).toEqual({ groups: [] });
  });
});
