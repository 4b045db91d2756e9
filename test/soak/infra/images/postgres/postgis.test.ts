import { expect, it } from "vitest";
import { dockerObjects } from "../../../../docker/docker-objects.ts";
import {
  configurationFolder,
  filledVolume,
  leastConfiguration,
  sql,
  startPostgres,
} from "../../../../docker/postgres-container.ts";
import { postgresImage } from "../../../../docker/postgres-image.ts";

const objects = dockerObjects();

it("the image has PostGIS if its build argument requests it", async () => {
  const image = await postgresImage({ POSTGIS: "true" });
  const configuration = await filledVolume(objects, image, configurationFolder, leastConfiguration);
  const container = await startPostgres(objects, { image, configuration, data: objects.name("data") });
  await sql(
    objects.docker,
    container,
    "create extension postgis; create extension postgis_raster; create extension postgis_topology",
  );
  expect(await sql(objects.docker, container, "select st_astext(st_centroid('LINESTRING(0 0, 2 2)'))")).toBe(
    "POINT(1 1)",
  );
});
