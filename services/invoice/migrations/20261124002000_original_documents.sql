-- migrate:up
create table original_document (
    document_id uuid primary key,
    kind text not null constraint original_document_kind check (kind in ('invoice', 'credit_note')),
    entity_id text not null references entity,
    customer_id uuid not null references customer,
    language text not null,
    paper text not null,
    pdf bytea not null,
    xml bytea,
    sha256 text not null,
    kept_at timestamptz not null,
    constraint original_document_is_whole check (sha256 = encode(sha256(pdf), 'hex'))
);
comment on table original_document is 'Invoices and credit notes as they were sent, byte for byte: what was sent is what is shown later.';
comment on column original_document.document_id is 'The invoice, or the credit note.';
comment on column original_document.paper is 'What it was written from, as JSON: copies are made of it.';

create function original_document_stays() returns trigger language plpgsql as $$
begin
    raise exception 'a document that was sent stays as it is' using errcode = 'restrict_violation';
end $$;
create trigger original_document_stays before update or delete on original_document
    for each row execute function original_document_stays();

-- migrate:down
drop table original_document;
drop function original_document_stays();
