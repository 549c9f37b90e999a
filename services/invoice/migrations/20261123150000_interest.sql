-- migrate:up
create table reference_series (
    series text primary key,
    version int not null,
    title text not null,
    source text not null,
    known_until date not null
);
comment on table reference_series is 'Published rates that interest on late payment follows; what they were is known for days up to known_until.';

create table reference_rate (
    series text not null references reference_series,
    valid_from date not null,
    percent numeric(9, 4) not null,
    primary key (series, valid_from)
);
comment on table reference_rate is 'The rate in percent a year from a day on, until the next row of its series.';

insert into reference_series (series, version, title, source, known_until) values
    ('ecb_mro', 1, 'ECB main refinancing operations, fixed rate or minimum bid rate',
     'ECB, key ECB interest rates; Banque de France, policy rates', '2026-02-05'),
    ('boe_bank_rate', 1, 'Bank of England official dealing rate (Bank Rate)',
     'Bank of England, official Bank Rate history', '2026-02-05'),
    ('de_basiszinssatz', 1, 'Basiszinssatz (s. 247 BGB)', 'Deutsche Bundesbank, Bekanntgabe des Basiszinssatzes', '2026-01-01');

insert into reference_rate (series, valid_from, percent) values
    ('ecb_mro', '2007-06-13', 4.00), ('ecb_mro', '2008-07-09', 4.25), ('ecb_mro', '2008-10-15', 3.75),
    ('ecb_mro', '2008-11-12', 3.25), ('ecb_mro', '2008-12-10', 2.50), ('ecb_mro', '2009-01-21', 2.00),
    ('ecb_mro', '2009-03-11', 1.50), ('ecb_mro', '2009-04-08', 1.25), ('ecb_mro', '2009-05-13', 1.00),
    ('ecb_mro', '2011-04-13', 1.25), ('ecb_mro', '2011-07-13', 1.50), ('ecb_mro', '2011-11-09', 1.25),
    ('ecb_mro', '2011-12-14', 1.00), ('ecb_mro', '2012-07-11', 0.75), ('ecb_mro', '2013-05-08', 0.50),
    ('ecb_mro', '2013-11-13', 0.25), ('ecb_mro', '2014-06-11', 0.15), ('ecb_mro', '2014-09-10', 0.05),
    ('ecb_mro', '2016-03-16', 0.00), ('ecb_mro', '2022-07-27', 0.50), ('ecb_mro', '2022-09-14', 1.25),
    ('ecb_mro', '2022-11-02', 2.00), ('ecb_mro', '2022-12-21', 2.50), ('ecb_mro', '2023-02-08', 3.00),
    ('ecb_mro', '2023-03-22', 3.50), ('ecb_mro', '2023-05-10', 3.75), ('ecb_mro', '2023-06-21', 4.00),
    ('ecb_mro', '2023-08-02', 4.25), ('ecb_mro', '2023-09-20', 4.50), ('ecb_mro', '2024-06-12', 4.25),
    ('ecb_mro', '2024-09-18', 3.65), ('ecb_mro', '2024-10-23', 3.40), ('ecb_mro', '2024-12-18', 3.15),
    ('ecb_mro', '2025-02-05', 2.90), ('ecb_mro', '2025-03-12', 2.65), ('ecb_mro', '2025-04-23', 2.40),
    ('ecb_mro', '2025-06-11', 2.15),
    ('boe_bank_rate', '2007-07-05', 5.75), ('boe_bank_rate', '2007-12-06', 5.50), ('boe_bank_rate', '2008-02-07', 5.25),
    ('boe_bank_rate', '2008-04-10', 5.00), ('boe_bank_rate', '2008-10-08', 4.50), ('boe_bank_rate', '2008-11-06', 3.00),
    ('boe_bank_rate', '2008-12-04', 2.00), ('boe_bank_rate', '2009-01-08', 1.50), ('boe_bank_rate', '2009-02-05', 1.00),
    ('boe_bank_rate', '2009-03-05', 0.50), ('boe_bank_rate', '2016-08-04', 0.25), ('boe_bank_rate', '2017-11-02', 0.50),
    ('boe_bank_rate', '2018-08-02', 0.75), ('boe_bank_rate', '2020-03-11', 0.25), ('boe_bank_rate', '2020-03-19', 0.10),
    ('boe_bank_rate', '2021-12-16', 0.25), ('boe_bank_rate', '2022-02-03', 0.50), ('boe_bank_rate', '2022-03-17', 0.75),
    ('boe_bank_rate', '2022-05-05', 1.00), ('boe_bank_rate', '2022-06-16', 1.25), ('boe_bank_rate', '2022-08-04', 1.75),
    ('boe_bank_rate', '2022-09-22', 2.25), ('boe_bank_rate', '2022-11-03', 3.00), ('boe_bank_rate', '2022-12-15', 3.50),
    ('boe_bank_rate', '2023-02-02', 4.00), ('boe_bank_rate', '2023-03-23', 4.25), ('boe_bank_rate', '2023-05-11', 4.50),
    ('boe_bank_rate', '2023-06-22', 5.00), ('boe_bank_rate', '2023-08-03', 5.25), ('boe_bank_rate', '2024-08-01', 5.00),
    ('boe_bank_rate', '2024-11-07', 4.75), ('boe_bank_rate', '2025-02-06', 4.50), ('boe_bank_rate', '2025-05-08', 4.25),
    ('boe_bank_rate', '2025-08-07', 4.00), ('boe_bank_rate', '2025-12-18', 3.75),
    ('de_basiszinssatz', '2008-01-01', 3.32), ('de_basiszinssatz', '2008-07-01', 3.19), ('de_basiszinssatz', '2009-01-01', 1.62),
    ('de_basiszinssatz', '2009-07-01', 0.12), ('de_basiszinssatz', '2011-07-01', 0.37), ('de_basiszinssatz', '2012-01-01', 0.12),
    ('de_basiszinssatz', '2013-01-01', -0.13), ('de_basiszinssatz', '2013-07-01', -0.38), ('de_basiszinssatz', '2014-01-01', -0.63),
    ('de_basiszinssatz', '2014-07-01', -0.73), ('de_basiszinssatz', '2015-01-01', -0.83), ('de_basiszinssatz', '2016-07-01', -0.88),
    ('de_basiszinssatz', '2023-01-01', 1.62), ('de_basiszinssatz', '2023-07-01', 3.12), ('de_basiszinssatz', '2024-01-01', 3.62),
    ('de_basiszinssatz', '2024-07-01', 3.37), ('de_basiszinssatz', '2025-01-01', 2.27), ('de_basiszinssatz', '2025-07-01', 1.27);

create table charge (
    id uuid primary key,
    invoice_id uuid not null references invoice,
    customer_id uuid not null references customer,
    kind text not null constraint charge_kind check (kind in ('interest', 'fee', 'recovery_cost')),
    status text not null constraint charge_status check (status in ('standing', 'waived', 'corrected')),
    amount_minor bigint not null constraint charge_amount_positive check (amount_minor > 0),
    currency text not null,
    first_day date,
    last_day date,
    effective_on date not null,
    reason text not null,
    automatic boolean not null default false,
    case_id uuid,
    case_episode int,
    case_step text,
    ended_on date,
    ended_why text,
    constraint charge_interest_names_its_days check (
        (kind = 'interest') = (first_day is not null) and (first_day is null) = (last_day is null)
        and last_day >= first_day
    ),
    constraint charge_case_is_whole check (
        (case_id is null) = (case_episode is null) and (case_id is null) = (case_step is null)
    ),
    constraint charge_ended_when_not_standing check (
        (status = 'standing') = (ended_on is null) and (ended_on is null) = (ended_why is null)
    )
);
comment on table charge is 'Interest, fees and recovery costs on invoices. Waived ones count as charged; corrected ones were replaced because the facts were others.';
create index charge_of_invoice on charge (invoice_id, id);
create unique index charge_one_fee_a_step on charge (case_id, case_episode, case_step) where kind = 'fee';
create unique index charge_one_recovery_cost on charge (invoice_id) where kind = 'recovery_cost' and status <> 'corrected';

create table interest_review (invoice_id uuid primary key references invoice);
comment on table interest_review is 'Invoices with interest charged whose facts changed since: a payment or credit was booked late, or a rate was put right.';

-- Marks only; what to do about it is decided in interest/rules.py.
create function interest_facts_changed() returns trigger language plpgsql as $$
begin
    insert into interest_review (invoice_id)
    select new.id where exists (
        select from charge c where c.invoice_id = new.id and c.kind = 'interest' and c.status = 'standing'
    )
    on conflict do nothing;
    return null;
end $$;
create trigger interest_facts_changed
    after update of allocated_minor, credited_minor, discounted_minor, difference_minor on invoice
    for each row
    when (
        new.charged_minor > 0
        and (old.allocated_minor, old.credited_minor, old.discounted_minor, old.difference_minor)
            is distinct from (new.allocated_minor, new.credited_minor, new.discounted_minor, new.difference_minor)
    )
    execute function interest_facts_changed();

create table interest_run (
    entity_id text primary key references entity,
    started_on date not null,
    next_on date not null constraint interest_run_monthly check (extract(day from next_on) = 1),
    after_invoice uuid
);
comment on table interest_run is 'Entities that charge interest by themselves: since when, the next first of a month, and how far a run under way has come.';

-- migrate:down
drop table interest_run;
drop trigger interest_facts_changed on invoice;
drop function interest_facts_changed();
drop table interest_review;
drop table charge;
drop table reference_rate;
drop table reference_series;
