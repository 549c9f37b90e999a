-- migrate:up
alter table customer add column pay_link_generation int not null default 1;
comment on column customer.pay_link_generation is 'Raised to call back every link to the customer''s page given out so far.';

-- migrate:down
alter table customer drop column pay_link_generation;
