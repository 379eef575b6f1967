// The steps of every client and the lines that it prints. tests/clients/python and tests/clients/rust have the same.
//
// `todos` is the client under test. Each of its functions is one transaction with the identity of the token, or with none:
//
//   create(token, task, userId)   creates a todo of the token's user, or of `userId`; returns the row.
//
//   read(token)                   returns all visible rows.
//
//   update(token, id, task)       returns the number of changed rows.
//
//   remove(token, id)             returns the number of deleted rows.
//
//   rejection(error)                returns PostgreSQL's error in the thrown one: { code, message }.

const { ALICE_TOKEN: alice, BOB_TOKEN: bob, EXPIRED_TOKEN: expired, ALICE_ID: aliceId } = process.env;

export async function scenario(todos) {
  const say = (...words) => console.log(words.join(' '));
  const tasks = async (token) => (await todos.read(token)).map((todo) => todo.task).join(', ');
  const rejected = async (work) => {
    try {
      await work;
    } catch (error) {
      const { code, message } = todos.rejection(error);
      return `${code} ${message}`;
    }
    return 'not rejected';
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
  say('bob for alice:', await rejected(todos.create(bob, 'a gift', aliceId)));
  say('expired:', await rejected(todos.read(expired)));
  say('no identity sees:', (await todos.read()).length);

  say('alice reads:', await tasks(alice));
  say('alice deleted:', await todos.remove(alice, ofAlice.id));
  say('bob deleted:', await todos.remove(bob, ofBob.id));
}
