-- migrate:up
create view bi.product_line_v1 as
select s.invoice_id, nullif(s.product_line, '') as product_line, i.currency,
       bi.major(s.amount_minor, i.currency) as amount
from product_share s join invoice i on i.id = s.invoice_id;
comment on view bi.product_line_v1 is 'What of the total of each invoice that names product lines each of them is; null is what no line names.';

create view bi.late_reason_v1 as
select r.customer_id, r.said_on, r.reason from reason_given r;
comment on view bi.late_reason_v1 is 'Why customers pay late, as they said in calls and answers, or by their insolvency.';

do $$
begin
    if exists (select from pg_roles where rolname = 'dueward_bi') then
        grant select on bi.product_line_v1, bi.late_reason_v1 to dueward_bi;
    end if;
end
$$;

-- migrate:down
drop view bi.late_reason_v1;
drop view bi.product_line_v1;
