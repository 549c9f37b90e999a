-- migrate:up
alter table customer add column merged_into uuid;
comment on column customer.merged_into is 'Who a closed customer goes on as, to be named when it is to be invoiced.';

-- migrate:down
alter table customer drop column merged_into;
