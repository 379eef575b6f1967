// What every client does, and the lines that it prints; the same as in tests/clients/python and tests/clients/rust.
//
// `todos` is the client under test. Each of its functions is one transaction with the identity of the token, or with none:
//
//   create(token, task, userId)   for the speaker, or for `userId`; gives the row
//   read(token)                   all rows that can be seen
//   update(token, id, task)       how many rows were changed
//   remove(token, id)             how many rows were deleted
//   refusal(error)                PostgreSQL's error in what the client throws: { code, message }

const { ALICE_TOKEN: alice, BOB_TOKEN: bob, EXPIRED_TOKEN: expired, ALICE_ID: aliceId } = process.env;

export async function scenario(todos) {
  const say = (...words) => console.log(words.join(' '));
  const tasks = async (token) => (await todos.read(token)).map((todo) => todo.task).join(', ');
  const refused = async (work) => {
    try {
      await work;
    } catch (error) {
      const { code, message } = todos.refusal(error);
      return `${code} ${message}`;
    }
    return 'not refused';
  };

  const ofAlice = await todos.create(alice, 'water the plants');
  say('alice created:', ofAlice.task, 'of', ofAlice.userId);
  const ofBob = await todos.create(bob, 'feed the cat');
  say('bob created:', ofBob.task, 'of', ofBob.userId);
  say('alice reads:', await tasks(alice));
  say('bob reads:', await tasks(bob));
  say('alice updated:', await todos.update(alice, ofAlice.id, 'water the roses'));

  const updated = await todos.update(bob, ofAlice.id, 'mine');
  say(`bob on alice's: updated ${updated}, deleted`, await todos.remove(bob, ofAlice.id));
  say('bob for alice:', await refused(todos.create(bob, 'a gift', aliceId)));
  say('expired:', await refused(todos.read(expired)));
  say('nobody sees:', (await todos.read()).length);

  say('alice reads:', await tasks(alice));
  say('alice deleted:', await todos.remove(alice, ofAlice.id));
  say('bob deleted:', await todos.remove(bob, ofBob.id));
}
