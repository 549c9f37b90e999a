-- migrate:up
create table offer (
    id uuid primary key,
    version bigint not null,
    customer_id uuid not null,
    entity_id text not null,
    case_id uuid not null,
    kind text not null,
    status text not null,
    currency text not null,
    amount_minor bigint not null,
    claims jsonb not null,
    pay_minor bigint,
    pay_by date,
    instalments jsonb not null,
    expires_on date not null,
    note text,
    made_by text not null,
    made_at timestamptz not null,
    needs_approval boolean not null,
    approved_by text,
    approved_at timestamptz,
    answered_by text,
    answered_at timestamptz,
    answered_how text,
    recorded_by text,
    because text,
    ended_on date,
    effect text not null,
    effect_detail text,
    effect_at timestamptz,
    look_at timestamptz,
    constraint offer_kind_known check (kind in ('extension', 'plan', 'settlement')),
    constraint offer_status_known check (status in (
        'awaiting_approval', 'open', 'accepted', 'refused', 'expired', 'withdrawn', 'rejected', 'lapsed'
    )),
    constraint offer_effect_known check (effect in ('none', 'promised', 'pending', 'done', 'failed')),
    constraint offer_approved_by_a_second_person check (
        not needs_approval or status in ('awaiting_approval', 'rejected', 'withdrawn', 'expired')
        or (approved_by is not null and approved_by <> made_by)
    ),
    constraint offer_answer_recorded check (status not in ('accepted', 'refused', 'lapsed') or answered_by is not null),
    constraint offer_looked_at_while_open check ((status in ('awaiting_approval', 'open')) = (look_at is not null)),
    constraint offer_effect_due_while_pending check ((effect = 'pending') = (effect_at is not null)),
    constraint offer_pays_less_than_owed check (kind <> 'settlement' or pay_minor between 1 and amount_minor - 1)
);
comment on table offer is 'What a customer was offered in a negotiation: more time, instalments, or to settle for a part.';
comment on column offer.claims is 'The invoices it is about, with what was owed on each.';
comment on column offer.effect is 'What acceptance sets off: a promise here, or a call to the invoice service, made under a key of its own so that a repeated one takes effect once.';
create unique index offer_one_open on offer (customer_id, entity_id) where status in ('awaiting_approval', 'open');
create index offer_look_at on offer (look_at) where look_at is not null;
create index offer_effect_at on offer (effect_at) where effect_at is not null;
create index offer_of_customer on offer (customer_id, id);

-- migrate:down
drop table offer;
