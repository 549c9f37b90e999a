-- migrate:up
create table bank_charge (
    payment_id uuid primary key references payment,
    charge_id uuid not null
);
comment on table bank_charge is 'Which charge passes on what the bank took for a payment that bounced: at most one a payment.';

-- migrate:down
drop table bank_charge;
