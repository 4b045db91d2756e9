import { expect, it } from "vitest";
import { cronDatabase, cronFault, cronSettings } from "../../../../scripts/model/cron.ts";

const shop = { name: "shop", extensions: ["citext", "pg_cron"] };
const crm = { name: "crm", extensions: ["citext"] };

it("pg_cron runs the jobs of the database that lists it", () => {
  expect(cronDatabase([shop])).toBe("shop");
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
    "'shop' lists the extension pg_cron, which works only in a stack's only database, and the stack also has 'crm'; remove pg_cron from migrations/shop/database.json, or give 'shop' a stack of its own",
  );
  expect(cronFault([shop])).toBeUndefined();
  expect(cronFault([crm, { ...crm, name: "erp" }])).toBeUndefined();
});
