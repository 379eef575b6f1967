// Errors of each kind: all fields are those of pg for the same statement.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { ALICE_TOKEN, Client, NeonDbError, as, direct, fieldsOf, query, thrown, url } from './driver.mjs';

// The statement, its parameters, and a few fields, so that the test knows what it compares.
const ERRORS = [
  ['seek 1', [], { code: '42601', position: '1' }],
  ["select 'é😀', nothing", [], { code: '42703', position: '14' }],
  ['select * from missing', [], { code: '42P01', position: '15' }],
  ['select missing(1)', [], { code: '42883' }],
  ["select '1'::json = '1'::json", [], { code: '42883', hint: /./ }],
  ['select 1; select 2', [], { code: '42601' }],
  ['select $1::int + $2::int', ['1'], { code: '08P01' }],
  ['select $1::int', ['x'], { code: '22P02', message: 'invalid input syntax for type integer: "x"' }],
  ['select $1', [], { code: '08P01' }],
  ["insert into things (id, name) values (1, 'again')", [], { code: '23505', constraint: 'things_key', table: 'things', schema: 'public', detail: 'Key (id)=(1) already exists.' }],
  ["insert into things (id, name, price) values (2, 'two', -1)", [], { code: '23514', constraint: 'price_is_positive', table: 'things' }],
  ['insert into things (id) values (2)', [], { code: '23502', column: 'name', table: 'things' }],
  ["insert into things (id, name, parent) values (2, 'two', 9)", [], { code: '23503', constraint: 'parent_exists' }],
  ["insert into things (id, name, code) values (2, 'two', 'too long')", [], { code: '22001' }],
  ['select (-1)::positive', [], { code: '23514', dataType: 'positive', constraint: 'is_positive' }],
  ["insert into todos (task, user_id) values ('x', 'another')", [], { code: '42501' }],
  ['select * from secrets', [], { code: '42501' }],
  ['select caller(1)', [], { code: '22012', where: /quotient[^]*caller/ }],
  ["select dynamic('seek 1')", [], { code: '42601', internalPosition: '1', internalQuery: 'seek 1' }],
  ['select complain()', [], { code: 'U0001', detail: 'It left on "Monday".', hint: 'Call us.', schema: 'shop', table: 'orders', column: 'due', dataType: 'date', constraint: 'in_time' }],
  ["select 'x'::json -> 1", [], { code: '22P02' }],
  ['select set_config($1, $2, false)', ['work_mem', 'x'], { code: '22023' }],
];

const clients = { pg: await direct(ALICE_TOKEN), websocket: new Client(url('authenticated', ALICE_TOKEN)) };
await clients.websocket.connect();
after(() => Promise.all(Object.values(clients).map((client) => client.end())));

const http = as(ALICE_TOKEN);
for (const [text, values, some] of ERRORS) {
  test(`${text} ${values}`, async () => {
    // The extended protocol: pg sends a statement without parameters as a simple query.
    const expected = fieldsOf(await thrown(clients.pg.query({ text, values, queryMode: 'extended' })));
    for (const [name, value] of Object.entries(some)) {
      if (value instanceof RegExp) assert.match(expected[name], value);
      else assert.equal(expected[name], value);
    }
    assert.equal(expected.severity, 'ERROR');
    const error = await thrown(query(http, text, values));
    assert.ok(error instanceof NeonDbError);
    assert.equal(error.name, 'NeonDbError');
    assert.deepEqual(fieldsOf(error), expected);
    // In a batch, after a statement that succeeds.
    assert.deepEqual(fieldsOf(await thrown(http.transaction([query(http, 'select 1'), query(http, text, values)]))), expected);
    // Its pg has no queryMode. With a name every statement is an extended query.
    if (expected.code !== '08P01') {
      const name = text.slice(0, 60);
      assert.deepEqual(fieldsOf(await thrown(clients.websocket.query({ name, text, values }))), expected);
    }
    assert.deepEqual((await clients.websocket.query('select 1 as still')).rows, [{ still: 1 }]);
  });
}
