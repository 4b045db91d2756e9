drop function integrity_findings();
