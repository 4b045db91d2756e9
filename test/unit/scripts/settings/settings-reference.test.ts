import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { parseSettings, settingsReference } from "../../../../scripts/settings/settings.ts";

/** Returns the settings in Pulumi.yaml in the engine's form: text, with lists as JSON. */
function defaultsInPulumiYaml(): Record<string, string> {
  const text = readFileSync(new URL("../../../../Pulumi.yaml", import.meta.url), "utf8");
  const section = text.slice(text.indexOf("\nconfig:\n"));
  const entries = [...section.matchAll(/^ {2}(\w+):\n {4}value: (.*)$/gm)].map(([, name = "", value = ""]) => [
    name,
    value.startsWith("[")
      ? JSON.stringify(
          value
            .slice(1, -1)
            .split(",")
            .map((item) => item.trim()),
        )
      : value,
  ]);
  return Object.fromEntries(entries);
}

describe("the reference of settings", () => {
  const reference = settingsReference();

  it("has a row for every setting, with type, default, effect and description", () => {
    expect(reference.map(({ name }) => name)).toEqual([
      "server",
      "port",
      "memory",
      "profile",
      "storage",
      "maxConnections",
      "postgresql",
      "dataDirectory",
      "backups",
      "cpus",
      "shmSize",
      "dockerHost",
      "bindAddress",
      "host",
      "image",
      "baseImage",
      "postgresVersion",
      "postgis",
      "monitoring",
      "pooler",
      "url",
      "superuserPassword",
      "superuser",
      "databases",
      "seeds",
      "protected",
      "airgap",
      "passwordVersion",
      "idleInTransactionTimeout",
      "readyTimeout",
    ]);
    for (const row of reference) {
      expect(row.type).not.toBe("");
      expect(row.default).not.toBe("");
      expect(row.description).toMatch(/\.$/);
      expect(row.effect).not.toBe("");
    }
  });

  it("has the effect of each setting on a running server", () => {
    const effects = Object.fromEntries(reference.map(({ name, effect }) => [name, effect]));
    expect(effects).toMatchObject({
      port: "restart",
      memory: "restart",
      storage: "reload",
      postgresql: "reload or restart",
      databases: "databases created",
      passwordVersion: "new passwords",
    });
  });

  it("agrees with Pulumi.yaml, which configures the local stack", () => {
    const defaults = defaultsInPulumiYaml();
    expect(Object.keys(defaults)).toEqual(["server", "databases", "seeds"]);
    const shown = Object.fromEntries(reference.map((row) => [row.name, row.default]));
    const { databases: _, ...others } = defaults;
    expect(shown.databases).toBe("those in Pulumi.yaml");
    expect(Object.fromEntries(Object.entries(others).map(([name, text]) => [name, spaced(text)]))).toEqual({
      server: shown.server,
      seeds: shown.seeds,
    });

    const config = Object.fromEntries(Object.entries(defaults).map(([name, text]) => [`pgroundwork:${name}`, text]));
    const known = { stack: "local", databases: { trading: { seedSets: ["reference", "dev"] } } };
    expect(parseSettings(config, known)).toMatchObject({
      server: "embedded",
      databases: ["trading"],
      protected: false,
    });
  });

  it("shows the defaults that the parser uses", () => {
    const known = { stack: "x", databases: { a: { seedSets: [] } } };
    const settings: Record<string, unknown> = parseSettings(
      { "pgroundwork:databases": '["a"]', "pgroundwork:seeds": "[]" },
      known,
    );
    for (const name of ["server", "profile", "storage", "passwordVersion", "readyTimeout"]) {
      expect(String(settings[name])).toBe(reference.find((row) => row.name === name)?.default);
    }
  });
});

/** Formats `["a","b"]` as it is written by hand: `[a, b]`. */
function spaced(text: string): string {
  return text.replaceAll('"', "").replaceAll(",", ", ");
}
