import { describeFreshVolumes } from "../../../../docker/describe-fresh-volumes.ts";
import { soakRuns } from "../../../random.ts";

describeFreshVolumes(soakRuns(50));
