"""What every client does, and the lines that it prints; the same as in tests/clients/node and tests/clients/rust.

`todos` is the client under test. Each of its functions is one transaction with the identity of the token, or with none:

    create(token, task, user_id=None)   for the speaker, or for user_id; gives the row
    read(token)                         all rows that can be seen
    update(token, id, task)             how many rows were changed
    delete(token, id)                   how many rows were deleted
    rejection(error)                      the SQLSTATE and the message of what the client raises
"""

import os

ALICE, BOB, EXPIRED, ALICE_ID = (os.environ[name] for name in ("ALICE_TOKEN", "BOB_TOKEN", "EXPIRED_TOKEN", "ALICE_ID"))


def scenario(todos):
    def tasks(token):
        return ", ".join(todo.task for todo in todos.read(token))

    def rejected(function, *arguments):
        try:
            function(*arguments)
        except Exception as error:  # noqa: BLE001 - each driver raises its own classes
            code, message = todos.rejection(error)
            return f"{code} {message}"
        return "not rejected"

    of_alice = todos.create(ALICE, "water the plants")
    print("alice created:", of_alice.task, "of", of_alice.user_id)
    of_bob = todos.create(BOB, "feed the cat")
    print("bob created:", of_bob.task, "of", of_bob.user_id)
    print("alice reads:", tasks(ALICE))
    print("bob reads:", tasks(BOB))
    print("alice updated:", todos.update(ALICE, of_alice.id, "water the roses"))

    updated = todos.update(BOB, of_alice.id, "mine")
    print(f"bob on alice's: updated {updated}, deleted", todos.delete(BOB, of_alice.id))
    print("bob for alice:", rejected(todos.create, BOB, "a gift", ALICE_ID))
    print("expired:", rejected(todos.read, EXPIRED))
    print("no identity sees:", len(todos.read(None)))

    print("alice reads:", tasks(ALICE))
    print("alice deleted:", todos.delete(ALICE, of_alice.id))
    print("bob deleted:", todos.delete(BOB, of_bob.id))
