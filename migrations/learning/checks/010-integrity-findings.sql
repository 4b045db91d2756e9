-- Rows that break a rule which triggers keep
select * from integrity_findings();
