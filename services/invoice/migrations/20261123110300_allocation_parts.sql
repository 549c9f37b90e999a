-- migrate:up
alter table allocation
    add column charges_minor bigint not null default 0
    constraint allocation_charges_within check (charges_minor between 0 and amount_minor);
comment on column allocation.charges_minor is 'What of the amount went to costs and interest; the rest to the principal.';

-- migrate:down
alter table allocation drop column charges_minor;
