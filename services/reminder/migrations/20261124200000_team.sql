-- migrate:up
create table colleague (
    subject text primary key,
    version bigint not null,
    name text not null,
    role text not null,
    email text,
    phone text,
    absent_from date,
    absent_until date,
    cover text references colleague (subject),
    constraint colleague_role_known check (role in ('collections', 'sales', 'service', 'finance', 'manager')),
    constraint colleague_absence_in_order check (absent_from <= absent_until),
    constraint colleague_absent_from_a_day check (absent_until is null or absent_from is not null),
    constraint colleague_does_not_cover_itself check (cover <> subject)
);
comment on table colleague is 'People who look after accounts; `subject` is whom their token or session names.';
comment on column colleague.absent_until is 'The last day away; null: until further notice.';
comment on column colleague.cover is 'Who looks after their accounts meanwhile.';

-- migrate:down
drop table colleague;
