-- migrate:up
alter table plan validate constraint plan_remind_days;
alter table plan validate constraint plan_reminds_while_it_runs;
alter table delivery validate constraint delivery_kind;
alter table delivery validate constraint delivery_of_one_thing;

-- migrate:down
select 1;
