-- migrate:up
alter table collection_case add column hastened boolean not null default false;
comment on column collection_case.hastened is 'After a broken promise the next rung is due at once, whatever its days.';

-- migrate:down
alter table collection_case drop column hastened;
