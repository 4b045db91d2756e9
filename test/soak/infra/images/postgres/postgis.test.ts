import { expect, it } from "vitest";
import { dockerBelongings } from "../../../../docker/belongings.ts";
import {
  configurationFolder,
  filledVolume,
  leastConfiguration,
  sql,
  startPostgres,
} from "../../../../docker/postgres-container.ts";
import { postgresImage } from "../../../../docker/postgres-image.ts";

const belongings = dockerBelongings();

it("the image has PostGIS if its build argument requests it", async () => {
  const image = await postgresImage({ POSTGIS: "true" });
  const configuration = await filledVolume(belongings, image, configurationFolder, leastConfiguration);
  const container = await startPostgres(belongings, { image, configuration, data: belongings.name("data") });
  await sql(
    belongings.docker,
    container,
    "create extension postgis; create extension postgis_raster; create extension postgis_topology",
  );
  expect(await sql(belongings.docker, container, "select st_astext(st_centroid('LINESTRING(0 0, 2 2)'))")).toBe(
    "POINT(1 1)",
  );
});
