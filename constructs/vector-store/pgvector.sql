-- Creates a table for the vectors of one model, with its index, and never drops anything. Safe to run again. It fails
-- when a table of that name holds vectors of another size or type, or when its comment says that they are of another
-- model; a table without a comment becomes that of this model.
--
-- psql variables: table; type and dimensions of the vectors, and both as "wanted"; model, and as "mark" what the comment
-- of its table is; index, opclass, m, ef_construction.

set client_min_messages = warning;

create extension if not exists vector;

create table if not exists :"table" (
  id uuid primary key default gen_random_uuid(),
  content text,
  metadata jsonb not null default '{}',
  embedding :type(:dimensions) not null
);

select coalesce(
  (
    select t.typname || case when a.atttypmod > 0 then '(' || a.atttypmod || ')' else '' end
    from pg_attribute a
    join pg_type t on t.oid = a.atttypid
    where a.attrelid = to_regclass(:'table') and a.attname = 'embedding' and not a.attisdropped
  ),
  'missing'
) as actual \gset

select :'actual' = :'wanted' as fits \gset

select
  coalesce(said, '') as said,
  coalesce(said like 'cdk8s-rag/model=%' and said <> :'mark', false) as foreign_model,
  said is null as unmarked
from (select obj_description(to_regclass(:'table'), 'pg_class') as said) as described \gset

\if :foreign_model
  \warn table :table has the comment :said, but the vectors are of :model
  do $$ begin raise exception 'the vectors of another model need another table; nothing was changed'; end $$;
\elif :fits
  \if :unmarked
    comment on table :"table" is :'mark';
  \endif
  create index if not exists :"index" on :"table"
    using hnsw (embedding :opclass) with (m = :m, ef_construction = :ef_construction);
\else
  \warn column embedding of table :table is :actual, but the vectors of :model are :wanted
  do $$ begin raise exception 'the vectors of another model need another table; nothing was changed'; end $$;
\endif
