-- migrate:up
alter table invoice validate constraint invoice_instalments_add_up;
alter table invoice validate constraint invoice_discounts_have_dates;

-- migrate:down
