import { describe, expect, it } from "vitest";
import {
  baseSettings,
  configuredPort,
  parseConfiguration,
  renderConfiguration,
} from "../../../../scripts/server/configuration.ts";

describe("the text of a configuration file", () => {
  it("is the same for the same settings in any order", () => {
    const one = renderConfiguration({ work_mem: "8MB", port: "5432" });
    expect(one).toBe(renderConfiguration({ port: "5432", work_mem: "8MB" }));
    expect(one.split("\n").slice(1)).toEqual(["port = '5432'", "work_mem = '8MB'", ""]);
  });

  it("quotes characters that would end a value", () => {
    expect(renderConfiguration({ log_directory: "/it's\\here" })).toContain("log_directory = '/it''s\\\\here'\n");
  });

  it("can be read for the port", () => {
    const text = renderConfiguration(baseSettings({ host: "127.0.0.1", port: 20_123 }, "/log"));
    expect(configuredPort(text)).toBe(20_123);
  });

  it("can be read for every setting", () => {
    const settings = {
      ...baseSettings({ host: "127.0.0.1", port: 20_123 }, "/it's\\here"),
      "auto_explain.log_min_duration": "1s",
    };
    expect(parseConfiguration(renderConfiguration(settings))).toEqual(settings);
  });

  it("can be read after manual edits, and the last line of a name counts", () => {
    const text = "Work_Mem 8MB # by hand\njit=off\n\n# fsync = off\nwork_mem = '9MB'\nnonsense\n";
    expect(parseConfiguration(text)).toEqual({ work_mem: "9MB", jit: "off" });
  });

  it("has no port if none is set", () => {
    expect(configuredPort(undefined)).toBeUndefined();
    expect(configuredPort("# port = '1'\n")).toBeUndefined();
    expect(configuredPort("port = '0'\n")).toBeUndefined();
  });
});
