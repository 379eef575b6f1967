// Values of each built-in type, and of types that users make: fields and values are those of pg on the same statement.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { ALICE_TOKEN, Client, as, direct, query, url } from './driver.mjs';

// Each is an expression of SQL, and one column of one row.
const VALUES = [
  'true', 'false', 'null', 'null::int', "'unknown'", "''",
  '(-32768)::int2', '2147483647', '9223372036854775807', "'NaN'::float4", '1e-30::float4', '0.1::float8', "'-0'::float8",
  "'-Infinity'::float8", '1.7976931348623157e308::float8', '12.3400::numeric', "'NaN'::numeric", "'-Infinity'::numeric",
  '1e40::numeric', '1.5::numeric(10,3)', '12.34::money', '4294967295::oid',
  "'text with \"quotes\", \\\\ and \n a line'", "'é😀'::text", "'abc'::varchar(5)", "'ab'::char(4)", "'x'::\"char\"", "'a_name'::name",
  "'\\x00ff5c'::bytea", "''::bytea",
  "'2026-02-03'::date", "'infinity'::date", "'0044-03-15 BC'::date", "'04:05:06.789012'::time", "'04:05:06+07'::timetz",
  "'2026-02-03 04:05:06.789012'::timestamp", "'-infinity'::timestamp", "'2026-02-03 04:05:06+05:30'::timestamptz",
  "'infinity'::timestamptz", "'2026-02-03 04:05:06.7'::timestamptz(1)", "'1 year 2 mons -3 days 04:05:06.7'::interval", "'0'::interval",
  "'6f4d2f0a-5b7e-4c8e-9d51-0123456789ab'::uuid", "'{\"b\": [1, null], \"a\": \"é\"}'::json", "'{\"b\": [1, null], \"a\": 1e2}'::jsonb",
  "'null'::jsonb", "'$.a[*] ? (@ > 1)'::jsonpath",
  "'192.168.0.1/24'::inet", "'::1'::inet", "'10.0.0.0/8'::cidr", "'08:00:2b:01:02:03'::macaddr", "'08:00:2b:01:02:03:04:05'::macaddr8",
  "b'101'", "b'1'::bit varying(5)",
  "'(1,-2.5)'::point", "'{1,2,3}'::line", "'[(0,0),(1,1)]'::lseg", "'(2,2),(0,0)'::box", "'[(0,0),(1,1)]'::path", "'((0,0),(1,1))'::path",
  "'((0,0),(1,0),(1,1))'::polygon", "'<(1,2),3>'::circle",
  "'[1,5)'::int4range", "'empty'::int8range", "'(1.5,)'::numrange", "'[2026-02-03,2026-02-05]'::daterange",
  "'[2026-02-03 04:05,infinity)'::tsrange", "'(,2026-02-03 04:05+00]'::tstzrange", "'{[1,3),[5,7)}'::int4multirange",
  "'a:1A b:2'::tsvector", "'a & !b'::tsquery",
  "'pg_class'::regclass", "'int4'::regtype", "'now'::regproc", "'0/16B3748'::pg_lsn", "'7'::xid", "'7'::xid8", "'(0,1)'::tid",
  "'10:20:10,14'::pg_snapshot", "'postgres=r/postgres'::aclitem", "'1 2'::int2vector", "'1 2'::oidvector", 'pg_sleep(0)',
  "row(1, 'a,b', null)", "row('High \"St\"', 7)::address", "null::address", "'happy'::mood", '7::positive',
  "'{}'::int[]", 'array[1, null, 3]', 'array[[1, 2], [3, 4]]', "'[0:1]={1,2}'::int[]", "array['a', null, 'NULL', 'b\"c', '{d}', '', ' e ']",
  'array[true, false]', 'array[9223372036854775807]', "array['1.5', 'NaN']::numeric[]", "array['0.5', 'NaN', '-Infinity']::float8[]",
  "array['abc']::varchar(5)[]", "array['\\x00ff']::bytea[]", "array['2026-02-03', 'infinity']::date[]",
  "array['2026-02-03 04:05:06']::timestamp[]", "array['2026-02-03 04:05:06+00']::timestamptz[]", "array['1 day']::interval[]",
  "array['{\"a\": [1, \"x\"]}', null]::json[]", "array['{\"a\": [1, \"x\"]}']::jsonb[]", "array['6f4d2f0a-5b7e-4c8e-9d51-0123456789ab']::uuid[]",
  "array['::1']::inet[]", "array['(1,2)']::point[]", "array['<(1,2),3>']::circle[]", "array['(2,2),(0,0)', '(3,3),(1,1)']::box[]",
  "array['[1,5)']::int4range[]", "array['sad', 'happy']::mood[]", "array[row('High St', 7)::address]", 'array[12.34::money]',
];

const BY_VALUE = VALUES.map((value) => [value, `select ${value} as value`]);
// Of tables, whose fields have the table and the number of the column.
BY_VALUE.push(
  ['a row', 'select * from things'],
  ['a row of the catalog', "select * from pg_type where typname = 'int4'"],
  ['columns of the same name', 'select 1 as a, 2 as a, 3'],
  ['no columns', 'select from things'],
  ['no rows', 'select id, name from things where false'],
);

const clients = { pg: await direct(ALICE_TOKEN), websocket: new Client(url('authenticated', ALICE_TOKEN)) };
await clients.websocket.connect();
after(() => Promise.all(Object.values(clients).map((client) => client.end())));

// Objects of classes, such as rows and intervals, as plain ones: the driver has other classes than pg.
const plain = (value) => {
  if (Array.isArray(value)) return value.map(plain);
  if (value === null || typeof value !== 'object' || value instanceof Date || Buffer.isBuffer(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, plain(member)]));
};

const essence = ({ fields, rows, rowCount, command }) => plain({
  fields: fields.map(({ name, tableID, columnID, dataTypeID, dataTypeSize, dataTypeModifier, format }) =>
    ({ name, tableID, columnID, dataTypeID, dataTypeSize, dataTypeModifier, format })),
  rows,
  rowCount,
  command,
});

for (const rowMode of ['object', 'array']) {
  const http = as(ALICE_TOKEN, { fullResults: true, arrayMode: rowMode === 'array' });
  test(`values, each row as ${rowMode}`, async (t) => {
    for (const [name, text] of BY_VALUE) {
      await t.test(name.replaceAll('\n', ' '), async () => {
        const expected = essence(await clients.pg.query({ text, rowMode }));
        const given = await query(http, text);
        assert.deepEqual(essence(given), expected);
        assert.equal(given.rowAsArray, rowMode === 'array');
        assert.deepEqual(essence(await clients.websocket.query({ text, rowMode })), expected);
      });
    }
  });
}

test('all values in one row, and in one batch', async () => {
  const text = `select ${VALUES.map((value, number) => `${value} as v${number}`).join(', ')}`;
  const expected = essence(await clients.pg.query(text));
  const http = as(ALICE_TOKEN, { fullResults: true });
  assert.deepEqual(essence(await query(http, text)), expected);
  const batch = await http.transaction(BY_VALUE.map(([, text]) => query(http, text)));
  for (const [number, [, text]] of BY_VALUE.entries()) {
    assert.deepEqual(essence(batch[number]), essence(await clients.pg.query(text)), text);
  }
});

// What a program binds. The types are those that the statement asks for.
const PARAMETERS = [
  ['text', 'a "quoted" \\ text, é😀'], ['text', ''], ['text', null], ['text', undefined], ['int', 7], ['int8', 9007199254740993n],
  ['float8', 0.1], ['float8', NaN], ['float8', -Infinity], ['numeric', '12.3400'], ['bool', true], ['bool', false],
  ['timestamptz', new Date('2026-02-03T04:05:06.789Z')], ['timestamptz', new Date('-000043-03-15T00:00:00Z')],
  ['bytea', Buffer.from([0, 255, 92])], ['bytea', new Uint8Array([1, 2])], ['jsonb', { a: [1, null], b: { c: 'é"' } }],
  ['int[]', [1, null, 3]], ['int[]', []], ['int[]', [[1, 2], [3, 4]]], ['text[]', ['a', null, 'NULL', 'b"c', '{d}', '\\', '']],
  ['bytea[]', [Buffer.from([0, 255])]], ['mood', 'sad'], ['mood[]', ['sad', 'happy']], ['address', '("High St",7)'],
  ['int4range', '[1,5)'], ['interval', '1 day'], ['text', { toPostgres: () => 'made by toPostgres' }],
];

test('parameters', async () => {
  const http = as(ALICE_TOKEN, { fullResults: true });
  for (const [type, value] of PARAMETERS) {
    const text = `select $1::${type} as value`;
    const expected = essence(await clients.pg.query(text, [value]));
    assert.deepEqual(essence(await query(http, text, [value])), expected, text);
    assert.deepEqual(essence(await clients.websocket.query(text, [value])), expected, text);
  }
});
