-- migrate:up
alter table receivable add column on_plan_minor bigint not null default 0;
comment on column receivable.on_plan_minor is 'What may be paid in parts by a plan; like what is disputed, it is not collectable.';

-- migrate:down
alter table receivable drop column on_plan_minor;
