-- migrate:up
-- What tools for reports of one's own may read. A view keeps its name and its columns; one that has to change gets a
-- successor (_v2) beside it. Views read with their owner's rights: readers need none on the tables.
create schema bi;
comment on schema bi is 'Stable views for BI tools, read by the role dueward_bi; docs/exports.md.';

create function bi.major(minor bigint, currency text) returns numeric
language sql immutable parallel safe
as $$
    select case
        when currency = any('{BIF,CLP,DJF,GNF,ISK,JPY,KMF,KRW,PYG,RWF,UGX,UYI,VND,VUV,XAF,XOF,XPF}') then minor::numeric
        when currency = any('{BHD,IQD,JOD,KWD,LYD,OMR,TND}') then round(minor::numeric / 1000, 3)
        when currency = any('{CLF,UYW}') then round(minor::numeric / 10000, 4)
        else round(minor::numeric / 100, 2) end
$$;
comment on function bi.major is 'An amount in major units with the decimals of its currency (ISO 4217).';

create view bi.customer_v1 as
select c.id as customer_id, c.external_id, c.name, c.status, c.country, c.segment, k.name as collector, c.currency,
       c.net_days
from customer c left join collector k on k.customer_id = c.id;
comment on view bi.customer_v1 is 'Each customer as it is now.';
comment on column bi.customer_v1.collector is 'Who has the customer''s newest task; null for nobody.';
comment on column bi.customer_v1.net_days is 'Days from invoice to due date that were agreed.';

create view bi.invoice_v1 as
select i.id as invoice_id, i.number, i.customer_id, r.entity_id, i.status, i.issue_date, i.due_date, i.settled_on,
       i.currency, bi.major(i.total_minor, i.currency) as total, bi.major(i.balance_minor, i.currency) as balance,
       bi.major(i.disputed_minor, i.currency) as disputed
from invoice i left join receivable r on r.invoice_id = i.id;
comment on view bi.invoice_v1 is 'Each invoice as it is now; what is open has a balance.';

create view bi.movement_v1 as
select m.invoice_id, m.version, m.customer_id, m.entity_id, m.currency, m.kind, m.issued_on as issue_date,
       m.due_on as due_date, m.effective_on, m.booked_on, bi.major(m.change_minor, m.currency) as change
from movement m;
comment on view bi.movement_v1 is 'Every change of an invoice''s balance: what was owed at the end of a day is the sum of change up to its effective_on.';
comment on column bi.movement_v1.booked_on is 'When it was known: leave out what is booked later for the books as they stood then.';

create view bi.payment_v1 as
select p.payment_id, p.customer_id, w.reference, p.currency, bi.major(p.amount_minor, p.currency) as amount, p.received_on,
       p.booked_on, p.applied_on
from receipt p left join payment_reference w on w.payment_id = p.payment_id;
comment on view bi.payment_v1 is 'Each payment; applied_on is the first day all of it was applied to invoices.';

create view bi.promise_v1 as
select p.id as promise_id, p.customer_id, p.status, p.made_on, p.promised_on, p.currency,
       bi.major(p.amount_minor, p.currency) as amount, bi.major(p.paid_minor, p.currency) as paid
from promise p;
comment on view bi.promise_v1 is 'Each promise to pay as it is now.';

create view bi.dispute_v1 as
select d.id as dispute_id, d.customer_id, d.invoice_id, d.reason, d.opened_on, d.resolved_on, d.outcome, d.currency,
       bi.major(d.amount_minor, d.currency) as amount
from dispute d;
comment on view bi.dispute_v1 is 'Each dispute; without an outcome it is open.';

create view bi.message_v1 as
select k.id as message_id, k.customer_id, k.strategy, k.step, k.tone, k.channel, k.status, k.effective_on
from contact k;
comment on view bi.message_v1 is 'Each message to a customer: its step of which strategy, and what became of it.';

create view bi.daily_flow_v1 as
select f.kind as group_kind, f.key as group_key, f.effective_on, f.currency, f.invoices,
       bi.major(f.sales_minor, f.currency) as credit_sales, bi.major(f.cash_minor, f.currency) as cash,
       bi.major(f.credited_minor, f.currency) as credited, bi.major(f.written_off_minor, f.currency) as written_off,
       bi.major(f.charged_minor, f.currency) as charged, bi.major(f.other_minor, f.currency) as other
from flow f;
comment on view bi.daily_flow_v1 is 'What happened on a day, by cause: of all (group_kind all), and of each segment, country, entity and collector.';

do $$
begin
    create role dueward_bi nologin;
exception
    when duplicate_object or unique_violation then null;  -- Another database of this server has made it.
    when insufficient_privilege then raise notice 'the role dueward_bi is for an administrator to make: docs/exports.md';
end
$$;

do $$
begin
    if exists (select from pg_roles where rolname = 'dueward_bi') then
        grant usage on schema bi to dueward_bi;
        grant select on all tables in schema bi to dueward_bi;
    end if;
end
$$;

-- migrate:down
drop schema bi cascade;
