import { describe, expect, it } from "vitest";
import { parseSettings } from "../../../../infra/settings.ts";

const known = { databases: { shop: { seedSets: ["dev"] } }, stack: "team" };
const required = { "pgroundwork:server": "docker", "pgroundwork:databases": '["shop"]', "pgroundwork:seeds": "[]" };

function monitoring(written?: string) {
  const config = { ...required, ...(written === undefined ? {} : { "pgroundwork:monitoring": written }) };
  const settings = parseSettings(config, known);
  return settings.server === "docker" ? settings.monitoring : "another server";
}

describe("the section monitoring", () => {
  it("is off unless asked for", () => {
    expect(monitoring()).toBeUndefined();
    expect(monitoring("false")).toBeUndefined();
  });

  it("is on with defaults, or with what differs from them", () => {
    expect(monitoring("true")).toEqual({ retentionDays: 15 });
    expect(monitoring("{}")).toEqual({ retentionDays: 15 });
    expect(monitoring('{"prometheusPort":9090,"retentionDays":90}')).toEqual({
      prometheusPort: 9090,
      retentionDays: 90,
    });
  });

  it("has every fault in one message", () => {
    const written = '{"prometheusPort":0,"exporterPort":"9187","retention":3,"retentionDays":1.5}';
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
    expect(said).toContain("expected a whole number of days from 1 to 3650, got '1.5'");
  });

  it("has no two ports on one number", () => {
    expect(() => monitoring('{"prometheusPort":9090,"exporterPort":9090}')).toThrow(/9090 is Prometheus's port, too/);
  });

  it("is refused where it is neither a flag nor an object, and by servers that are no container", () => {
    expect(() => monitoring("yes")).toThrow(/expected true, false or an object/);
    const embedded = { ...required, "pgroundwork:server": "embedded", "pgroundwork:monitoring": "true" };
    expect(() => parseSettings(embedded, known)).toThrow(
      /'monitoring': is no setting of a server of the kind 'embedded'/,
    );
  });
});
