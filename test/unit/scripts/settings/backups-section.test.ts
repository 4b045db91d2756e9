import { describe, expect, it } from "vitest";
import { OperationError } from "../../../../scripts/core/operation-error.ts";
import { parseSettings } from "../../../../scripts/settings/settings.ts";

function parse(backups: unknown, more: Record<string, string> = {}) {
  const config = {
    "pgroundwork:server": "docker",
    "pgroundwork:databases": '["shop"]',
    "pgroundwork:seeds": "[]",
    ...(backups === undefined ? {} : { "pgroundwork:backups": JSON.stringify(backups) }),
    ...more,
  };
  const settings = parseSettings(config, { stack: "dev", databases: { shop: { seedSets: [] } } });
  return settings.server === "docker" ? settings.backups : undefined;
}

function faults(backups: unknown, more: Record<string, string> = {}): string[] {
  try {
    parse(backups, more);
  } catch (error) {
    if (error instanceof OperationError) return error.message.split("\n").slice(1);
    throw error;
  }
  return [];
}

describe("the setting backups", () => {
  it("is off by default and if it is false", () => {
    expect(parse(undefined)).toBeUndefined();
    expect(parse(false)).toBeUndefined();
  });

  it("means a full backup a day and an incremental one every six hours, kept for 30 days", () => {
    const usual = { full: "0 2 * * *", incremental: "0 */6 * * *", retentionDays: 30 };
    expect(parse(true)).toEqual(usual);
    expect(parse({})).toEqual(usual);
    expect(parse({ full: "30 3 * * sun", retentionDays: 7 })).toEqual({
      ...usual,
      full: "30 3 * * sun",
      retentionDays: 7,
    });
  });

  it("accepts every form of cron's five fields", () => {
    for (const full of ["* * * * *", "0,30 8-18/2 1,15 jan-mar MON-fri", "59 23 31 12 7", "*/10 0 * * 0"])
      expect(parse({ full })).toMatchObject({ full });
  });

  it("reports all of its errors together", () => {
    expect(faults({ full: "0 25 * * *", incremental: "hourly", retentionDays: 0, fulll: "x" })).toEqual([
      "- Setting 'backups.full': '0 25 * * *' is not a schedule: its hour is '25'",
      "- Setting 'backups.incremental': 'hourly' is not a schedule: it has 1 fields instead of 5 (minute, hour, day, month, weekday)",
      "- Setting 'backups.retentionDays': expected a whole number of days from 1 to 3650, got '0'",
      "- Setting 'backups.fulll': is not a setting; did you mean 'full'?",
    ]);
  });

  it.each([
    "60 * * * *",
    "* * 0 * *",
    "* * * 13 *",
    "* * * * 8",
    "5-1 * * * *",
    "*/0 * * * *",
    "1/5 * * * *",
    "a * * * *",
    "1- * * * *",
  ])("refuses the schedule %s", (full) => expect(faults({ full })).toHaveLength(1));

  it("refuses a value that is not true, false or an object", () => {
    expect(faults("daily")).toEqual([
      "- Setting 'backups': expected true, false or an object with full and incremental (schedules) and retentionDays, got '\"daily\"'",
    ]);
  });

  it("refuses settings of the server that prevent backups", () => {
    const postgresql = JSON.stringify({ archive_mode: "off", wal_level: "minimal" });
    expect(faults(true, { "pgroundwork:postgresql": postgresql })).toEqual([
      "- Setting 'postgresql.archive_mode': is set by the kit if backups are enabled; set 'backups' to false to archive in another way",
      "- Setting 'postgresql.wal_level': 'minimal' does not allow WAL archiving, which 'backups' needs",
    ]);
    expect(faults(false, { "pgroundwork:postgresql": postgresql })).toEqual([]);
  });

  it.each(["archive_mode", "archive_command", "archive_library"])("excludes the setting postgresql.%s", (name) => {
    const postgresql = JSON.stringify({ [name]: "anything" });
    expect(faults(true, { "pgroundwork:postgresql": postgresql })).toEqual([
      `- Setting 'postgresql.${name}': is set by the kit if backups are enabled; set 'backups' to false to archive in another way`,
    ]);
  });
});
