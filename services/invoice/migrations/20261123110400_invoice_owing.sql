-- migrate:up
-- An entry that names nothing is shown beside the invoices that owe its amount.
-- No release has the table yet, so there is nothing to block.
-- squawk-ignore require-concurrent-index-creation
create index invoice_owing on invoice (balance_minor) where balance_minor > 0;

-- migrate:down
drop index invoice_owing;
