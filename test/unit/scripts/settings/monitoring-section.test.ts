import { describe, expect, it } from "vitest";
import { parseSettings } from "../../../../scripts/settings/settings.ts";

const known = { databases: { shop: { seedSets: ["dev"] } }, stack: "team" };
const required = { "pgroundwork:server": "docker", "pgroundwork:databases": '["shop"]', "pgroundwork:seeds": "[]" };

const defaults = {
  retentionDays: 15,
  health: true,
  grafana: false,
  grafanaImage: expect.stringMatching(/^grafana.*:\d/),
};

function monitoring(written?: string) {
  const config = { ...required, ...(written === undefined ? {} : { "pgroundwork:monitoring": written }) };
  const settings = parseSettings(config, known);
  return settings.server === "docker" ? settings.monitoring : "another server";
}

describe("the setting monitoring", () => {
  it("is off by default", () => {
    expect(monitoring()).toBeUndefined();
    expect(monitoring("false")).toBeUndefined();
  });

  it("is on with defaults, which an object can change", () => {
    expect(monitoring("true")).toEqual(defaults);
    expect(monitoring("{}")).toEqual(defaults);
    const written = {
      prometheusPort: 9090,
      retentionDays: 90,
      health: false,
      grafana: true,
      grafanaImage: "mirror/grafana",
    };
    expect(monitoring(JSON.stringify(written))).toEqual(written);
  });

  it("has limits of the health server, as texts or lists, and names each that is not valid", () => {
    const limits = { interval: "1m", slowQuery: 500, connections: [60, 80], storage: "70,90" };
    expect(monitoring(JSON.stringify({ healthLimits: limits }))).toMatchObject({
      healthLimits: { interval: "1m", slowQuery: "500", connections: "60,80", storage: "70,90" },
    });
    const wrong = { interval: "0", storages: "70,90", connections: [90, 70] };
    const written = JSON.stringify({ healthLimits: wrong });
    expect(() => monitoring(written)).toThrow(/healthLimits\.interval': expected at least one second.*got '0'/);
    expect(() => monitoring(written)).toThrow(/healthLimits\.storages'.* is not a setting.*storage/);
    expect(() => monitoring(written)).toThrow(/healthLimits\.connections': expected two percentages.*got '90,70'/);
    expect(() => monitoring('{"healthLimits": []}')).toThrow(/healthLimits': expected an object/);
  });

  it("reports all of its errors in one message", () => {
    const written =
      '{"prometheusPort":0,"exporterPort":"9187","retention":3,"retentionDays":1.5,"health":"yes","grafanaImage":1}';
    let said = "";
    try {
      monitoring(written);
    } catch (error) {
      said = String(error);
    }
    expect(said).toContain("monitoring.prometheusPort");
    expect(said).toContain("expected a port from 1 to 65535, got '0'");
    expect(said).toContain("expected a port from 1 to 65535, got '9187'");
    expect(said).toContain(
      "'monitoring.retention': is not a setting; there are: prometheusPort, exporterPort, retentionDays",
    );
    expect(said).toContain("expected true or false, got 'yes'");
    expect(said).toContain("expected the name of an image, got '1'");
    expect(said).toContain("expected a whole number of days from 1 to 3650, got '1.5'");
  });

  it("refuses one number for two ports", () => {
    const refusal = /9090 is already the port of Prometheus/;
    expect(() => monitoring('{"prometheusPort":9090,"exporterPort":9090}')).toThrow(refusal);
    expect(() => monitoring('{"prometheusPort":9090,"healthPort":9090}')).toThrow(refusal);
    expect(() => monitoring('{"healthPort":9187,"grafanaPort":9187}')).toThrow(/already the port of the health server/);
  });

  it("refuses a value that is not a boolean or an object, and servers that are not containers", () => {
    expect(() => monitoring("yes")).toThrow(/expected true, false or an object/);
    const embedded = { ...required, "pgroundwork:server": "embedded", "pgroundwork:monitoring": "true" };
    expect(() => parseSettings(embedded, known)).toThrow(/'monitoring': is not a setting for server kind 'embedded'/);
  });
});
