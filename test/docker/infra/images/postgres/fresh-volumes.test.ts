import { describeFreshVolumes } from "../../../describe-fresh-volumes.ts";

describeFreshVolumes(4);
