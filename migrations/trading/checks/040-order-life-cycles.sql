-- An order took a step that its life cycle does not allow, or its audit does not lead to its status
with step as (
  select order_id, occurred_at, action, old_status, new_status,
    lag(new_status) over life as status_before,
    lead(occurred_at) over life is null as is_last
  from order_audit
  window life as (partition by order_id order by occurred_at, id)
)
select step.order_id, step.occurred_at, step.old_status, step.new_status, orders.status as status_now
from step
left join orders on orders.id = step.order_id
where (step.action = 'update' and step.old_status <> step.new_status
    and not order_transition_allowed(step.old_status, step.new_status))
  or step.old_status <> step.status_before
  or (step.is_last and step.action <> 'delete' and step.new_status <> orders.status);
