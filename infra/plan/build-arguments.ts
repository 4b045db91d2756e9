/** Choices for the PostgreSQL image of a stack. */
export interface PostgresBuild {
  postgis: boolean;
  /** Image to build from. */
  baseImage?: string | undefined;
  /** Exact release of PostgreSQL, such as 17.11. */
  postgresVersion?: string | undefined;
}

/** Returns the build arguments of infra/images/postgres. An argument that is left out has the Dockerfile's default. */
export function postgresBuildArguments({ postgis, baseImage, postgresVersion }: PostgresBuild): Record<string, string> {
  return {
    POSTGIS: String(postgis),
    ...baseArguments(baseImage),
    ...(postgresVersion === undefined ? {} : { POSTGRES_VERSION: postgresVersion }),
  };
}

/** Returns the build argument that every image of the kit has for its base. */
export function baseArguments(baseImage: string | undefined): Record<string, string> {
  return baseImage === undefined ? {} : { BASE: baseImage };
}
