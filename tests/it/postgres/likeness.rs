//! What the tables of either database look like, in the same words: a line for each column, key and
//! index.

use std::path::Path;

use diesel::{Connection, QueryableByName, RunQueryDsl, SqliteConnection, sql_query};

use super::TestDatabase;

/// Names are compared, too: a violation is reported by the name of an index. A new column type
/// matches nothing until its SQLite counterpart is written down here.
const POSTGRES: &str = "
WITH tables AS (
    SELECT oid, relname FROM pg_class
    WHERE relkind IN ('r', 'p', 'v', 'm') AND relnamespace = 'public'::regnamespace
        AND relname <> '__diesel_schema_migrations'
), actions (letter, action) AS (
    VALUES ('a', 'NO ACTION'), ('r', 'RESTRICT'), ('c', 'CASCADE'), ('n', 'SET NULL'),
        ('d', 'SET DEFAULT')
)
SELECT format('%s: column %s %s %s %s%s', relname,
    lpad(row_number() OVER (PARTITION BY relname ORDER BY attnum)::text, 2, '0'), attname,
    CASE format_type(atttypid, atttypmod)
        WHEN 'uuid' THEN 'TEXT' WHEN 'text' THEN 'TEXT' WHEN 'text[]' THEN 'TEXT'
        WHEN 'cidr[]' THEN 'TEXT' WHEN 'timestamp with time zone' THEN 'BIGINT'
        WHEN 'bytea' THEN 'BLOB'
        WHEN 'bigint' THEN 'BIGINT' WHEN 'integer' THEN 'INTEGER' WHEN 'boolean' THEN 'BOOLEAN'
        ELSE format_type(atttypid, atttypmod) || ' (no counterpart)' END,
    CASE WHEN attnotnull THEN 'not null' ELSE 'null' END,
    CASE WHEN atthasdef THEN ' with default' ELSE '' END) AS text
FROM tables JOIN pg_attribute ON attrelid = tables.oid WHERE attnum > 0 AND NOT attisdropped
UNION ALL
SELECT format('%s: foreign key (%s) to %s (%s) on update %s on delete %s', relname,
    (SELECT string_agg(attname, ', ' ORDER BY place)
        FROM unnest(conkey) WITH ORDINALITY AS key (attnum, place) JOIN pg_attribute a
        ON a.attnum = key.attnum AND attrelid = conrelid),
    confrelid::regclass,
    (SELECT string_agg(attname, ', ' ORDER BY place)
        FROM unnest(confkey) WITH ORDINALITY AS key (attnum, place) JOIN pg_attribute a
        ON a.attnum = key.attnum AND attrelid = confrelid),
    (SELECT action FROM actions WHERE letter = confupdtype::text),
    (SELECT action FROM actions WHERE letter = confdeltype::text))
FROM tables JOIN pg_constraint ON conrelid = tables.oid WHERE contype = 'f'
UNION ALL
SELECT format('%s: %s (%s)%s', tables.relname,
    CASE WHEN indisprimary THEN 'primary key'
        WHEN indisunique THEN 'unique index ' || i.relname ELSE 'index ' || i.relname END,
    (SELECT string_agg(CASE WHEN indkey[place - 1] = 0 THEN 'expression'
                ELSE pg_get_indexdef(indexrelid, place, true) END
            || CASE WHEN pg_index_column_has_property(indexrelid, place, 'desc') THEN ' desc' ELSE '' END,
            ', ' ORDER BY place)
        FROM generate_series(1, indnkeyatts::integer) place),
    ' where ' || regexp_replace(lower(pg_get_expr(indpred, indrelid)), '[()]', '', 'g'))
FROM tables JOIN pg_index ON indrelid = tables.oid JOIN pg_class i ON i.oid = indexrelid
UNION ALL
SELECT format('%s: checks: %s', relname, count(*))
FROM tables JOIN pg_constraint ON conrelid = tables.oid WHERE contype = 'c' GROUP BY relname
UNION ALL
SELECT format('%s: trigger %s', relname, tgname)
FROM tables JOIN pg_trigger ON tgrelid = tables.oid WHERE NOT tgisinternal";

const SQLITE: &str = "
WITH tables AS (
    SELECT name, sql FROM sqlite_schema
    WHERE type IN ('table', 'view') AND name NOT GLOB 'sqlite_*'
        AND name <> '__diesel_schema_migrations'
)
SELECT format('%s: column %02d %s %s %s%s', tables.name, cid + 1, c.name, upper(c.type),
    CASE WHEN c.\"notnull\" THEN 'not null' ELSE 'null' END,
    CASE WHEN dflt_value IS NULL THEN '' ELSE ' with default' END) AS text
FROM tables, pragma_table_info(tables.name) c
UNION ALL
SELECT format('%s: foreign key (%s) to %s (%s) on update %s on delete %s', tables.name,
    group_concat(f.\"from\", ', ' ORDER BY seq), f.\"table\",
    group_concat(f.\"to\", ', ' ORDER BY seq), on_update, on_delete)
FROM tables, pragma_foreign_key_list(tables.name) f GROUP BY tables.name, f.id
UNION ALL
SELECT format('%s: primary key (%s)', tables.name, group_concat(c.name, ', ' ORDER BY pk))
FROM tables, pragma_table_info(tables.name) c WHERE pk > 0 GROUP BY tables.name
UNION ALL
SELECT format('%s: %s %s (%s)%s', tables.name,
    CASE WHEN l.\"unique\" THEN 'unique index' ELSE 'index' END, l.name,
    (SELECT group_concat(coalesce(name, 'expression') || CASE WHEN desc THEN ' desc' ELSE '' END, ', ' ORDER BY seqno)
        FROM pragma_index_xinfo(l.name) WHERE key),
    (SELECT ' where ' || replace(replace(lower(
            substr(sql, instr(upper(sql), ' WHERE ') + length(' WHERE '))), '(', ''), ')', '')
        FROM sqlite_schema s WHERE s.name = l.name AND partial))
FROM tables, pragma_index_list(tables.name) l WHERE origin <> 'pk'
UNION ALL
SELECT format('%s: checks: %d', name, checks)
FROM (SELECT name, (length(sql) - length(replace(upper(sql), 'CHECK', ''))) / length('CHECK') AS checks
    FROM tables)
WHERE checks > 0
UNION ALL
SELECT format('%s: trigger %s', tbl_name, name) FROM sqlite_schema WHERE type = 'trigger'";

#[derive(QueryableByName)]
struct Text {
    #[diesel(sql_type = diesel::sql_types::Text)]
    text: String,
}

/// The tables of a PostgreSQL database.
pub fn of_postgres(database: &TestDatabase) -> Vec<String> {
    sorted(database.texts(POSTGRES))
}

/// The tables of a SQLite file.
pub fn of_sqlite(file: &Path) -> Vec<String> {
    let mut connection = SqliteConnection::establish(file.to_str().unwrap()).unwrap();
    let rows: Vec<Text> = sql_query(SQLITE).load(&mut connection).unwrap();
    sorted(rows.into_iter().map(|row| row.text).collect())
}

fn sorted(mut lines: Vec<String>) -> Vec<String> {
    lines.sort();
    lines
}
