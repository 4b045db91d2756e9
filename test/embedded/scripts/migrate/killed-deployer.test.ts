import { describeKilledDeployer } from "./describe-killed-deployer.ts";

describeKilledDeployer(false);
