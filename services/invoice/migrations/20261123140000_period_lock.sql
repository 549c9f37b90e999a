-- migrate:up
alter table entity add column locked_until date;
comment on column entity.locked_until is 'Last day of the closed books: nothing is booked with effect up to it; entities/rules.py: open_day.';

create table period_lock (
    id uuid primary key,
    entity_id text not null references entity,
    locked_until date,
    before date,
    reason text,
    locked_by text not null,
    locked_at timestamptz not null,
    constraint period_lock_back_only_with_reason check (
        before is null or (locked_until is not null and locked_until >= before) or reason is not null
    )
);
comment on table period_lock is 'Every move of an entity''s locked_until: who, when, and why where books were opened again.';
create index period_lock_of_entity on period_lock (entity_id, id);

-- Whoever posts asks open_day() for the date; a path that forgot is stopped here.
create function journal_period_is_open() returns trigger language plpgsql as $$
begin
    if exists (
        select from booked b join entity e on e.id = b.entity_id where b.effective_on <= e.locked_until
    ) then
        raise exception 'the books of this date are closed'
            using errcode = 'check_violation', constraint = 'journal_period_is_open';
    end if;
    return null;
end $$;
create trigger journal_period_is_open after insert on journal_entry
    referencing new table as booked for each statement execute function journal_period_is_open();

-- migrate:down
drop trigger journal_period_is_open on journal_entry;
drop function journal_period_is_open();
drop table period_lock;
alter table entity drop column locked_until;
