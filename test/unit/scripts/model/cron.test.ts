import { expect, it } from "vitest";
import { cronDatabase, cronFault, cronSettings, nextRun } from "../../../../scripts/model/cron.ts";

const shop = { name: "shop", extensions: ["citext", "pg_cron"], jobs: [] };
const crm = { name: "crm", extensions: ["citext"], jobs: [] };
const erp = { name: "erp", extensions: [], jobs: ["tidy"] };

it("pg_cron is in the database that lists it, or in postgres if databases declare jobs", () => {
  expect(cronDatabase([shop])).toBe("shop");
  expect(cronDatabase([crm, erp])).toBe("postgres");
  expect(cronDatabase([crm])).toBeUndefined();
});

it("pg_cron gets worker processes in addition to the planned ones, or to PostgreSQL's default", () => {
  expect(cronSettings("shop", "16")).toEqual({
    "cron.database_name": "shop",
    "cron.use_background_workers": "on",
    "cron.max_running_jobs": "5",
    max_worker_processes: "22",
  });
  expect(cronSettings("shop", undefined).max_worker_processes).toBe("14");
});

it("a database that lists pg_cron is refused if the stack has another one", () => {
  expect(cronFault([crm, shop])).toBe(
    "'shop' lists the extension pg_cron, which works only in a stack's only database, and the stack also has 'crm'; remove pg_cron from migrations/shop/database.json, and declare 'jobs' there instead",
  );
  expect(cronFault([shop])).toBeUndefined();
  expect(cronFault([crm, erp])).toBeUndefined();
});

it("a database that lists pg_cron is refused if it declares jobs, which need pg_cron elsewhere", () => {
  expect(cronFault([{ ...shop, jobs: ["tidy"] }])).toBe(
    "'shop' lists the extension pg_cron and declares jobs, which need pg_cron in 'postgres'; remove pg_cron from migrations/shop/database.json",
  );
});

it("a job runs next after its interval in seconds, or at the next time of its schedule in UTC", () => {
  const after = new Date("2026-03-01T02:30:00Z");
  expect(nextRun("10 seconds", after)).toEqual(new Date("2026-03-01T02:30:10Z"));
  expect(nextRun("0 3 * * *", after)).toEqual(new Date("2026-03-01T03:00:00Z"));
  expect(nextRun("0 3 * * *", new Date("2026-03-01T03:00:00Z"))).toEqual(new Date("2026-03-02T03:00:00Z"));
});
