--! Title: Four accounts with their first deposits

insert into accounts (id, user_id, account_number, name, account_type, status, currency, leverage, position_mode, margin_call_level, stop_out_level)
values
  ('30000000-0000-4000-8000-000000000001', '20000000-0000-4000-8000-000000000002', 'LIVE-100001', 'Main', 'live', 'active', 'USD', 30, 'netting', 1.0, 0.5),
  ('30000000-0000-4000-8000-000000000002', '20000000-0000-4000-8000-000000000003', 'MARGIN-200001', 'Crypto desk', 'margin', 'active', 'USD', 100, 'hedging', 0.8, 0.3),
  ('30000000-0000-4000-8000-000000000003', '20000000-0000-4000-8000-000000000003', 'LIVE-200002', 'Euro', 'live', 'active', 'EUR', 30, 'netting', 1.0, 0.5),
  ('30000000-0000-4000-8000-000000000004', '20000000-0000-4000-8000-000000000004', 'DEMO-300001', 'Practice', 'demo', 'active', 'USD', 100, 'netting', 1.0, 0.5)
on conflict (id) do nothing;

insert into payments (id, account_id, currency, direction, method, status, amount, provider, provider_reference, idempotency_key,
  requested_by, approved_by, approved_at, completed_at)
select payment.id::uuid, account_id::uuid, currency, direction, method, payment.status, amount, provider, reference, 'seed:' || reference,
  accounts.user_id, case when direction = 'withdrawal' and payment.status = 'completed' then '20000000-0000-4000-8000-000000000001'::uuid end,
  case when direction = 'withdrawal' and payment.status = 'completed' then now() end, case when payment.status = 'completed' then now() end
from (values
  ('31000000-0000-4000-8000-000000000001', '30000000-0000-4000-8000-000000000001', 'deposit', 'bank_transfer', 'completed', 50000, 'sepa', 'DEV-0001'),
  ('31000000-0000-4000-8000-000000000002', '30000000-0000-4000-8000-000000000002', 'deposit', 'bank_transfer', 'completed', 250000, 'swift', 'DEV-0002'),
  ('31000000-0000-4000-8000-000000000003', '30000000-0000-4000-8000-000000000003', 'deposit', 'card', 'completed', 20000, 'cards', 'DEV-0003'),
  ('31000000-0000-4000-8000-000000000004', '30000000-0000-4000-8000-000000000004', 'deposit', 'internal', 'completed', 100000, 'demo', 'DEV-0004'),
  ('31000000-0000-4000-8000-000000000005', '30000000-0000-4000-8000-000000000001', 'withdrawal', 'bank_transfer', 'completed', 2500, 'sepa', 'DEV-0005'),
  ('31000000-0000-4000-8000-000000000006', '30000000-0000-4000-8000-000000000003', 'withdrawal', 'bank_transfer', 'pending', 1000, 'sepa', 'DEV-0006')
) as payment (id, account_id, direction, method, status, amount, provider, reference)
join accounts on accounts.id = payment.account_id::uuid
on conflict (id) do nothing;

insert into account_transactions (id, account_id, transaction_type, amount, payment_id, idempotency_key, description)
select md5('payment:' || payments.id)::uuid, account_id, direction, case direction when 'deposit' then net_amount else -amount end,
  payments.id, 'payment:' || payments.id, initcap(direction) || ' ' || provider_reference
from payments
where provider_reference like 'DEV-%' and status = 'completed'
order by provider_reference
on conflict (account_id, idempotency_key) do nothing;
