-- migrate:up
-- Found by the beginning or the end of a number, by words of names and references, and by amounts: always a range of an
-- index, however many invoices there are.
create function searchable(words text) returns text
language sql immutable parallel safe strict
as $$ select regexp_replace(lower(words), '[^[:alnum:]]+', '', 'g') $$;
comment on function searchable is 'A number as people remember it: without case, blanks and hyphens.';

-- squawk-ignore require-concurrent-index-creation
create index invoice_number_begins on invoice (searchable(number) text_pattern_ops);
-- squawk-ignore require-concurrent-index-creation
create index invoice_number_ends on invoice (reverse(searchable(number)) text_pattern_ops);
-- squawk-ignore require-concurrent-index-creation
create index invoice_total on invoice (total_minor, currency, issue_date desc);
-- squawk-ignore require-concurrent-index-creation
create index receipt_amount on receipt (amount_minor, currency, received_on desc);
-- squawk-ignore require-concurrent-index-creation
create index dispute_of_customer on dispute (customer_id);
-- squawk-ignore require-concurrent-index-creation
create index dispute_of_invoice on dispute (invoice_id);

create table payment_reference (
    payment_id uuid primary key,
    reference text not null
);
comment on table payment_reference is 'What the payer wrote, as far as a payment has it.';

create table search_word (
    word text collate "C" not null,
    kind text not null,
    id uuid not null,
    primary key (kind, word, id),
    constraint search_word_kind_known check (kind in ('customer', 'payment'))
);
comment on table search_word is 'Words of customers'' names, former ones too, and of payments'' references, each in lower case.';

-- What was taken so far has no words yet.
insert into rebuild (wanted_by) select 'release' where exists (select from event) on conflict do nothing;

-- migrate:down
drop table search_word, payment_reference;
drop index dispute_of_invoice;
drop index dispute_of_customer;
drop index receipt_amount;
drop index invoice_total;
drop index invoice_number_ends;
drop index invoice_number_begins;
drop function searchable(text);
