import type Docker from "dockerode";
import { beforeAll } from "vitest";
import { type DockerBelongings, dockerBelongings } from "./belongings.ts";
import {
  configurationFolder,
  createPostgres,
  filledVolume,
  leastConfiguration,
  type PostgresContainer,
  startPostgres,
} from "./postgres-container.ts";
import { postgresImage } from "./postgres-image.ts";

/** The kit's image with the least configuration. Where a container's volume of data is not given, it has a new one. */
export interface LeastPostgres {
  belongings: DockerBelongings;
  /** The image's name and tag, once the tests run. */
  readonly image: string;
  /** Makes a container and does not start it. */
  create(given?: Partial<PostgresContainer>): Promise<Docker.Container>;
  /** Makes a container, starts it, and waits until it answers SQL. */
  start(given?: Partial<PostgresContainer>): Promise<Docker.Container>;
  /** Makes a volume that holds files, by path below `target`. */
  filled(target: string, files: Readonly<Record<string, string>>): Promise<string>;
}

/** Call it at the top of a `describe`: it registers the preparation, and the clean-up of everything that is made. */
export function leastPostgres(): LeastPostgres {
  const belongings = dockerBelongings();
  let image = "";
  let leastVolume = "";
  const filled = (target: string, files: Readonly<Record<string, string>>) =>
    filledVolume(belongings, image, target, files);
  beforeAll(async () => {
    image = await postgresImage();
    leastVolume = await filled(configurationFolder, leastConfiguration);
  });
  const complete = (given: Partial<PostgresContainer>): PostgresContainer => {
    const { data = belongings.name("data"), ...others } = given;
    return { image, configuration: leastVolume, data, ...others };
  };
  return {
    belongings,
    get image() {
      return image;
    },
    create: (given = {}) => createPostgres(belongings, complete(given)),
    start: (given = {}) => startPostgres(belongings, complete(given)),
    filled,
  };
}
