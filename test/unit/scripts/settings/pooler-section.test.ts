import { describe, expect, it } from "vitest";
import { parseSettings } from "../../../../scripts/settings/settings.ts";

const known = { databases: { shop: { seedSets: ["dev"] } }, stack: "team" };
const required = { "pgroundwork:server": "docker", "pgroundwork:databases": '["shop"]', "pgroundwork:seeds": "[]" };

function pooler(written?: string) {
  const config = { ...required, ...(written === undefined ? {} : { "pgroundwork:pooler": written }) };
  const settings = parseSettings(config, known);
  return settings.server === "docker" ? settings.pooler : "another server";
}

describe("the setting pooler", () => {
  it("is off by default", () => {
    expect(pooler()).toBeUndefined();
    expect(pooler("false")).toBeUndefined();
  });

  it("is on with defaults, which an object can change", () => {
    expect(pooler("true")).toEqual({ maxClients: 2_000 });
    expect(pooler('{"port":6432,"maxClients":100,"poolSize":10}')).toEqual({
      port: 6_432,
      maxClients: 100,
      poolSize: 10,
    });
  });

  it("reports all of its errors in one message", () => {
    expect(() => pooler('{"port":0,"maxClients":"9","size":3}')).toThrow(
      /pooler\.port[\s\S]*from 1 to 65535, got '0'[\s\S]*from 1 to 20000, got '9'[\s\S]*'pooler\.size': is not a setting; there are: port, maxClients, poolSize/,
    );
  });

  it("is refused for a server that has no container", () => {
    const config = { ...required, "pgroundwork:server": "embedded", "pgroundwork:pooler": "true" };
    expect(() => parseSettings(config, known)).toThrow(/pooler/);
  });
});
