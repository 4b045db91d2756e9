import { describe, expect, it } from "vitest";
import { baseSettings, configuredPort, renderConfiguration } from "../../../../scripts/server/configuration.ts";

describe("the text of the configuration file", () => {
  it("is the same for the same settings, whatever their order", () => {
    const one = renderConfiguration({ work_mem: "8MB", port: "5432" });
    expect(one).toBe(renderConfiguration({ port: "5432", work_mem: "8MB" }));
    expect(one.split("\n").slice(1)).toEqual(["port = '5432'", "work_mem = '8MB'", ""]);
  });

  it("quotes what could end a value", () => {
    expect(renderConfiguration({ log_directory: "/it's\\here" })).toContain("log_directory = '/it''s\\\\here'\n");
  });

  it("tells the port again", () => {
    const text = renderConfiguration(baseSettings({ host: "127.0.0.1", port: 20_123 }, "/log"));
    expect(configuredPort(text)).toBe(20_123);
  });

  it("tells no port where there is none", () => {
    expect(configuredPort(undefined)).toBeUndefined();
    expect(configuredPort("# port = '1'\n")).toBeUndefined();
    expect(configuredPort("port = '0'\n")).toBeUndefined();
  });
});
