import { describe, expect, it } from "vitest";
import { parseSettings } from "../../../../scripts/settings/settings.ts";

const known = { databases: { shop: { seedSets: [] } }, stack: "team" };
function alerts(given: unknown) {
  const settings = parseSettings(
    {
      "pgroundwork:server": "docker",
      "pgroundwork:databases": '["shop"]',
      "pgroundwork:seeds": "[]",
      "pgroundwork:monitoring": JSON.stringify({ alerts: given }),
    },
    known,
  );
  return settings.server === "docker" ? settings.monitoring?.alerts : undefined;
}
function faultsOf(given: unknown): string {
  try {
    alerts(given);
  } catch (error) {
    return String(error);
  }
  return "";
}

describe("the setting monitoring.alerts", () => {
  it("has defaults for all that a receiver can do without", () => {
    const email = { to: "a@example.com", from: "b@example.com", host: "mail.example.com" };
    expect(alerts({ email, heartbeat: { url: "https://h.example.com" }, links: "https://git.example.com/x" })).toEqual({
      email: { ...email, to: ["a@example.com"], port: 587, tls: true },
      heartbeat: { url: "https://h.example.com", minutes: 5 },
      links: "https://git.example.com/x/",
    });
    expect(alerts({ slack: { url: "https://hooks.example.com/x" } })).toEqual({
      slack: { url: "https://hooks.example.com/x" },
      links: "",
    });
  });

  it("reports all of its errors in one message, with their paths", () => {
    const said = faultsOf({
      email: { to: ["nobody"], from: "b@example.com", port: 0, user: "u", tls: "no" },
      webhok: { url: "https://x" },
      webhook: { url: "ftp://x", token: "a\nb" },
      links: "https://x/{{ y }}",
    });
    expect(said).toContain("monitoring.alerts.email.to.0': expected an email address, got 'nobody'");
    expect(said).toContain("monitoring.alerts.email.host': is missing; expected a host name");
    expect(said).toContain("monitoring.alerts.email.port': expected a port from 1 to 65535, got '0'");
    expect(said).toContain("monitoring.alerts.email.tls': expected true or false, got 'no'");
    expect(said).toContain("'webhok' is not a setting; did you mean 'webhook'?");
    expect(said).toContain("monitoring.alerts.webhook.url': expected a URL http://… or https://…");
    expect(said).toContain("monitoring.alerts.webhook.token': expected a text without line breaks");
    expect(said).toContain("monitoring.alerts.links': expected a URL without spaces or quotes");
  });

  it("needs someone who receives alerts: a heartbeat alone is refused", () => {
    expect(faultsOf({ heartbeat: { url: "https://h" } })).toMatch(/set at least one of email, webhook, slack/);
    expect(faultsOf({})).toMatch(/set at least one of email, webhook, slack/);
    expect(faultsOf("team@example.com")).toMatch(/expected an object, got string/);
  });

  it("refuses a password that would be sent without encryption, and half a login", () => {
    const email = { to: "a@example.com", from: "b@example.com", host: "mail.example.com" };
    expect(faultsOf({ email: { ...email, user: "u", password: "p", tls: false } })).toMatch(/send the password unencr/);
    expect(faultsOf({ email: { ...email, user: "u" } })).toMatch(/email\.password': is missing; `user` needs it/);
    expect(faultsOf({ email: { ...email, password: "p" } })).toMatch(/email\.user': is missing; `password` needs it/);
    expect(faultsOf({ email: { ...email, tls: false } })).toBe("");
  });

  it("shows no secret in a message", () => {
    const said = faultsOf({
      email: { password: "secret-1\n", to: 3 },
      webhook: { url: "secret-2", token: ["secret-3"] },
      slack: { url: "https://ok/secret-4", chanel: "secret-5" },
      heartbeat: { url: 7, minutes: 99 },
    });
    expect(said.match(/alerts\./g)?.length).toBeGreaterThan(6);
    expect(said).not.toMatch(/secret-/);
  });
});
