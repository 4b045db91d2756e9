import { describeKilledDeployer } from "../../../embedded/scripts/migrate/describe-killed-deployer.ts";

describeKilledDeployer(true);
