import type Docker from "dockerode";
import { beforeAll } from "vitest";
import { type DockerObjects, dockerObjects } from "./docker-objects.ts";
import {
  configurationFolder,
  createPostgres,
  filledVolume,
  leastConfiguration,
  type PostgresContainer,
  startPostgres,
} from "./postgres-container.ts";
import { postgresImage } from "./postgres-image.ts";

/** The kit's image with the minimal configuration. A container without a data volume gets a new one. */
export interface LeastPostgres {
  objects: DockerObjects;
  /** Name and tag of the image; set before the tests run. */
  readonly image: string;
  /** Creates a container without starting it. */
  create(given?: Partial<PostgresContainer>): Promise<Docker.Container>;
  /** Creates a container, starts it, and waits until it answers SQL. */
  start(given?: Partial<PostgresContainer>): Promise<Docker.Container>;
  /** Creates a volume with files. Their paths are relative to `target`. */
  filled(target: string, files: Readonly<Record<string, string>>): Promise<string>;
}

/** Registers the preparation, and the clean-up of everything that is created. Call it at the top of a `describe`. */
export function leastPostgres(): LeastPostgres {
  const objects = dockerObjects();
  let image = "";
  let leastVolume = "";
  const filled = (target: string, files: Readonly<Record<string, string>>) =>
    filledVolume(objects, image, target, files);
  beforeAll(async () => {
    image = await postgresImage();
    leastVolume = await filled(configurationFolder, leastConfiguration);
  });
  const complete = (given: Partial<PostgresContainer>): PostgresContainer => {
    const { data = objects.name("data"), ...others } = given;
    return { image, configuration: leastVolume, data, ...others };
  };
  return {
    objects,
    get image() {
      return image;
    },
    create: (given = {}) => createPostgres(objects, complete(given)),
    start: (given = {}) => startPostgres(objects, complete(given)),
    filled,
  };
}
