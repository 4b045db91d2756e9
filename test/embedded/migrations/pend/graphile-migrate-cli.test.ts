import { describeGraphileMigrateCli } from "../describe-graphile-migrate-cli.ts";

describeGraphileMigrateCli("pend");
