-- migrate:up
alter table delivery validate constraint delivery_kind;
alter table delivery validate constraint delivery_of_one_thing;
alter table delivery validate constraint delivery_of_dispute;
alter table delivery validate constraint delivery_of_plan;
alter table delivery validate constraint delivery_of_collection;

-- migrate:down
select 1;
