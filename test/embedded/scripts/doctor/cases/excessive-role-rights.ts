import type { CheckCase } from "../check-case.ts";

const teardown = ["drop role helper"];

export const cases: CheckCase = {
  faults: [
    {
      title: "a second superuser",
      setup: ["create role helper login superuser"],
      teardown,
      finds: ["helper: superuser"],
    },
    {
      title: "a login that bypasses policies",
      setup: ["create role helper login bypassrls"],
      teardown,
      finds: ["helper: bypassrls"],
    },
    {
      title: "a login that can run programs",
      setup: ["create role helper login", "grant pg_execute_server_program to helper"],
      teardown,
      finds: ["helper: pg_execute_server_program"],
    },
  ],
  nearMisses: [
    { title: "a superuser that cannot log in", setup: ["create role helper superuser"], teardown },
    {
      title: "a login for replication and monitoring",
      setup: ["create role helper login replication", "grant pg_monitor to helper"],
      teardown,
    },
  ],
};
