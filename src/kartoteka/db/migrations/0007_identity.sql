-- Merges that can be taken back, and what is remembered of people who are not the same (D15, D28).

-- `merges`: how many cards this one holds besides itself; while there are any, what requests say is kept
-- in the history, by side (docs/decisions/0024). `last_word`: digest of what was said last, so that the
-- same again writes nothing. `proof`: which request said each value of the card.
alter table contact
    add column merges integer not null default 0,
    add column last_word bigint,
    add column proof jsonb not null default '[]';

-- The merged card that this identifier goes back to when the merge is undone; null: it stays.
alter table identifier add column home bigint;

-- `undoes`: the merge that this row takes back. `by`: the identifier that found the card.
alter table identity_history
    add column undoes bigint,
    add column by jsonb;
create index identity_history_undone on identity_history (account_id, undoes) where undoes is not null;
create index identity_history_said on identity_history (account_id, contact_id, history_id)
    where action = 'said';

-- Everyone whom identifiers of these contacts came from or went to, through any chain, and these: rows
-- (contact_id). Both indexes of identity_history by contact.
create function reached_by_moves(account integer, contacts bigint[])
returns table (contact_id bigint)
language sql stable rows 10 as $$
    with recursive near as (
        select c as contact_id from unnest(contacts) as c
        union
        select step.contact_id
        from near n
        cross join lateral (
            select o.contact_id
            from (
                select h.other_contact_id as contact_id
                from identity_history h
                where h.account_id = account and h.contact_id = n.contact_id
                offset 0  -- so that it is looked up by contact, in a young table too
            ) o
            where o.contact_id is not null
            union all
            select h.contact_id
            from identity_history h
            where h.account_id = account and h.other_contact_id = n.contact_id
        ) step
    )
    select n.contact_id from near n
$$;

-- A list of identifiers, or what a row of the history rests on, without these values of erased persons
-- unless the contact itself holds them now; null when nothing is left. Primary key of identifier.
create function without_erased(
    account integer, contact bigint, said jsonb, kinds smallint[], names text[], texts text[], keys text[]
)
returns jsonb
language sql stable as $$
    select case when bool_or(e.goes) then jsonb_agg(e.one order by e.place) filter (where not e.goes) else said end
    from (
        select i.one, i.place, exists (
            select from unnest(kinds, names, texts, keys) as g (kind, name, value, value_key)
            where g.name = i.one ->> 'kind'
              and g.value = i.one ->> 'value'
              and not exists (
                  select from identifier r
                  where r.account_id = account
                    and r.kind = g.kind
                    and r.value_key = g.value_key
                    and r.contact_id = contact
                  order by r.ordinal
                  offset 0
              )
        ) as goes
        from jsonb_array_elements(said) with ordinality as i (one, place)
    ) e
$$;

-- Two contacts that are not the same person: somebody said so, or took their merge back. No rule
-- absorbs one into the other, and they are not shown as duplicates.
create table apart (
    account_id integer not null,
    contact_id bigint not null,                 -- the smaller id
    other_id bigint not null,
    at timestamptz not null,
    reason text not null,                       -- undone | not_the_same
    request_id text not null,
    key_id bigint not null,
    primary key (account_id, contact_id, other_id)
);
create index apart_by_other on apart (account_id, other_id);

-- E-mails and phones that stand on several contacts; few, so it is small (GET duplicates).
create index identifier_shared on identifier (account_id, kind, value_key)
    where ordinal > 0 and kind in (2, 3);

-- Contacts that look alike: found every night, by `kartoteka identity duplicates` and when somebody asks.
-- No values, so that erasing has nothing to do here.
create table duplicate (
    account_id integer not null,
    contact_id bigint not null,                 -- the smaller id
    other_id bigint not null,
    score real not null,
    fields jsonb not null,                      -- {"lastName": 0.97, …}: how alike, by field
    found_at timestamptz not null,
    primary key (account_id, contact_id, other_id)
);
create index duplicate_by_score on duplicate (account_id, score desc, contact_id, other_id);

-- The last search for contacts that look alike, or the one that waits or runs.
create table duplicate_search (
    account_id integer not null primary key,
    asked_at timestamptz not null,
    started_at timestamptz,
    finished_at timestamptz,
    stage text not null default '',             -- reading | comparing; empty: neither
    done bigint not null default 0,
    total bigint not null default 0,
    contacts bigint not null default 0,
    found bigint not null default 0
);

-- When an import that waits was last searched for persons who were erased meanwhile (D29).
alter table import add column looked_through_at timestamptz;
