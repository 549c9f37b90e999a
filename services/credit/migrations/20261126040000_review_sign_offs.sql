-- migrate:up
create table review_sign_off (
    id uuid primary key,
    scorecard text not null,
    first_on date not null,
    last_on date not null,
    policy_version bigint not null,
    conclusion text not null,
    note text,
    figures jsonb not null,
    signed_by text not null,
    signed_at timestamptz not null,
    constraint review_sign_off_of_a_period check (first_on <= last_on),
    constraint review_sign_off_concludes check (conclusion in ('kept', 'to_change')),
    constraint review_sign_off_says_what_to_change check (conclusion = 'kept' or note is not null)
);
comment on table review_sign_off is 'Who looked at the outcomes of policy and scorecard, and what they concluded; never changed.';
comment on column review_sign_off.figures is 'The figures that were signed, as they were then.';

-- migrate:down
drop table review_sign_off;
