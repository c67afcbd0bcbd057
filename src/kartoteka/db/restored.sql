-- The last words of `kartoteka db restore`, in its transaction. Transaction ids mean nothing in another
-- cluster, and behind an older copy they hide what was undone: whoever read up to one begins anew. The copy
-- may be of an older version, whose tables are made by the migrations that follow.
set local search_path = public;
do $$
begin
    -- Exports read everything once more (exports/changes.sql, is_readable).
    if to_regclass('change_dropped') is not null then
        delete from change;
        insert into change_dropped (account_id, below)
        select account_id, ((pg_current_xact_id()::text::bigint + 1)::text)::xid8
        from account
        on conflict (account_id) do update set below = excluded.below;
    end if;
    -- Webhooks go on where they were: what was sent may come once more, nothing is left out.
    if to_regclass('happening') is not null then
        update webhook w
        set read_xid = pg_current_xact_id(),
            read_id = coalesce(
                (
                    select min(happening_id) - 1
                    from happening
                    where account_id = w.account_id
                      and (xid, happening_id) > (w.read_xid, w.read_id)
                ),
                (select max(happening_id) from happening where account_id = w.account_id),
                0
            );
        update happening set xid = pg_current_xact_id();
    end if;
end
$$;
