-- The audit has a row that was never deleted, but does not exist
select 'orders' as table_name, audit.order_id as record_id
from order_audit as audit
where not exists (select from orders where orders.id = audit.order_id)
  and not exists (select from order_audit as deleted where deleted.order_id = audit.order_id and deleted.action = 'delete')
union
select 'positions', audit.position_id
from position_audit as audit
where not exists (select from positions where positions.id = audit.position_id)
  and not exists (select from position_audit as deleted where deleted.position_id = audit.position_id and deleted.action = 'delete')
union
select 'accounts', audit.account_id
from account_audit as audit
where not exists (select from accounts where accounts.id = audit.account_id)
  and not exists (select from account_audit as deleted where deleted.account_id = audit.account_id and deleted.action = 'delete');
