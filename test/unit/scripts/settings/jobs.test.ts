import { describe, expect, it } from "vitest";
import { jobFaults } from "../../../../scripts/settings/jobs.ts";
import { parseSettings } from "../../../../scripts/settings/settings.ts";

const tidy = { name: "tidy", schedule: "0 3 * * *" };
const cron = { extensions: [{ name: "citext" }, { name: "pg_cron" }] };

describe("the settings of a stack whose databases declare jobs", () => {
  it("are refused if one database lists pg_cron and is not the only one of a server in a container", () => {
    const shared = [{ setting: "databases", reason: expect.stringContaining("'shop' lists the extension pg_cron") }];
    expect(jobFaults("docker", ["crm", "shop"], { crm: {}, shop: cron })).toEqual(shared);
    expect(jobFaults("docker", ["shop"], { crm: {}, shop: cron })).toEqual([]);
    // The embedded server does not have the extension at all, and the owner of an external one has chosen its database.
    expect(jobFaults("embedded", ["crm", "shop"], { crm: {}, shop: cron })).toEqual([]);
    expect(jobFaults("external", ["crm", "shop"], { crm: {}, shop: cron })).toEqual([]);
  });

  it.each(["docker", "embedded", "external"])("are accepted if the server is %s, whatever runs the jobs", (server) => {
    expect(jobFaults(server, ["shop"], { shop: { jobs: [tidy] } })).toEqual([]);
  });

  it("are refused for a schedule that never occurs, of the stack's databases only", () => {
    const never = { jobs: [{ ...tidy, schedule: "0 0 30 2 *" }] };
    const reason = "job 'tidy' of 'shop': '0 0 30 2 *' never occurs";
    expect(jobFaults("embedded", ["shop"], { shop: never })).toEqual([{ setting: "databases", reason }]);
    expect(jobFaults("embedded", ["shop"], { shop: {}, crm: never })).toEqual([]);
  });

  it.each([
    ["60 seconds", "'60 seconds' is not a schedule: it has 2 fields instead of 5 (minute, hour, day, month, weekday)"],
    ["99 * * * *", "'99 * * * *' is not a schedule: its minute is '99'"],
  ])("are refused for the schedule %s", (schedule, fault) => {
    const [{ reason } = { reason: "" }] = jobFaults("docker", ["shop"], { shop: { jobs: [{ ...tidy, schedule }] } });
    expect(reason).toBe(`job 'tidy' of 'shop': ${fault}; '10 seconds' is possible, too`);
  });

  it.each(["1 second", "59 seconds", "*/5 0 * jan mon"])("are accepted for the schedule %s", (schedule) => {
    expect(jobFaults("docker", ["shop"], { shop: { jobs: [{ ...tidy, schedule }] } })).toEqual([]);
  });

  it("are refused together with all other wrong settings", () => {
    const config = {
      ...{ "pgroundwork:server": "embedded", "pgroundwork:databases": '["shop"]', "pgroundwork:seeds": "[]" },
      "pgroundwork:port": "0",
    };
    const databases = { shop: { seedSets: [], jobs: [{ ...tidy, schedule: "soon" }] } };
    expect(() => parseSettings(config, { stack: "local", databases })).toThrow(
      /2 settings[\s\S]*'port'[\s\S]*'databases': job 'tidy' of 'shop'/,
    );
  });
});
