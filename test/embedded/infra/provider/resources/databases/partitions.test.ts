import { afterAll, beforeAll, expect, it } from "vitest";
import { partitions } from "../../../../../../infra/provider/resources/databases/partitions.ts";
import { type Properties, unknownValue } from "../../../../../../infra/provider-protocol/values.ts";
import { withClient } from "../../../../../../scripts/connection/client.ts";
import { contextOf } from "../../../../../unit/infra/provider/call-context.ts";
import { startServer, type TestServer } from "../../../../server.ts";
import { bringUp, connectionInputs } from "../../database-work.ts";

let server: TestServer;
let declared: Properties;
beforeAll(async () => {
  server = await startServer();
  await server.createDatabase("partitioned");
  declared = {
    ...connectionInputs(server.as("migrator", "partitioned")),
    function: "public.ensure_parts",
    monthsAhead: 1,
  };
  await withClient(server.as("migrator", "partitioned"), (client) =>
    client.query(`
      create table part (number integer not null) partition by list (number);
      create function ensure_parts(months_ahead integer, dry_run boolean) returns setof text language plpgsql as $$
      begin
        for number in 0 .. months_ahead loop
          continue when to_regclass('part_' || number) is not null;
          if not dry_run then execute format('create table part_%s partition of part for values in (%s)', number, number); end if;
          return next 'part_' || number;
        end loop;
      end $$;`),
  );
});
afterAll(() => server?.stop());

const pendingOf = async (news: Properties, oldInputs?: Properties) =>
  (await partitions.check(contextOf("Partitions"), news, oldInputs)).inputs.pending;

it("partitions are not announced before there is a server or a first migration", async () => {
  expect(await pendingOf({ ...declared, port: unknownValue })).toEqual([]);
  expect(await pendingOf({ ...declared, function: "public.not_there_yet" })).toEqual([]);
});

it("partitions are created at the first up, and later at up after the preview named the missing ones", async () => {
  const context = contextOf("Partitions");
  const up = await bringUp(partitions, context, declared);
  expect(up.id).toBe("partitioned/partitions");
  expect(context.lines).toEqual(["info: created partition part_0", "info: created partition part_1"]);
  expect((await bringUp(partitions, context, declared, up)).changes).toEqual([]);

  const further = { ...declared, monthsAhead: 2 };
  const { inputs } = await partitions.check(context, further, up.inputs);
  expect(inputs.pending).toEqual(["part_2"]);
  context.lines.length = 0;
  await partitions.update(context, up, inputs, true);
  expect(context.lines).toEqual(["info: partition to create: part_2"]);

  context.lines.length = 0;
  const later = await bringUp(partitions, context, further, up);
  expect(later.changes).toEqual(["pending[0]", "monthsAhead"]);
  expect(context.lines).toEqual(["info: created partition part_2"]);
  expect((await bringUp(partitions, context, further, later)).changes).toEqual([]);
});

it("partitions are unknown while the server is down or the function is missing, and not reported as none", async () => {
  const up = { inputs: { ...declared, pending: [] } };
  const down = await startServer();
  await down.stop();
  const { port } = down.connection();
  expect(await pendingOf({ ...declared, port }, { ...up.inputs, port })).toEqual(["pending unknown, server is down"]);
  expect(await pendingOf({ ...declared, function: "public.gone" }, up.inputs)).toEqual([
    "pending unknown, function public.gone(integer, boolean) does not exist",
  ]);
});
