-- The filled quantity of an order is not the sum of its fills
select orders.id, orders.status, orders.filled_quantity, coalesce(fills.quantity, 0) as fills_quantity
from orders
left join (
  select order_id, sum(quantity) as quantity from order_fills group by order_id
) as fills on fills.order_id = orders.id
where orders.filled_quantity <> coalesce(fills.quantity, 0);
