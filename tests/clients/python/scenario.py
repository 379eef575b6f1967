"""What every client does, and the lines that it prints; the same as in tests/clients/node and tests/clients/rust.

`todos` is the client under test. Each of its functions is one transaction with the identity of the token, or with none:

    create(token, task, user_id=None)   for the speaker, or for user_id; gives the row
    read(token)                         all rows that can be seen
    update(token, id, task)             how many rows were changed
    delete(token, id)                   how many rows were deleted
    rejection(error)                      the SQLSTATE and the message of what the client raises

With `promises`, it keeps what docs/languages.md says of its function `with_token`:

    interrupted(token, work)            one transaction that raises what `work` raises
"""

import os
import random
import traceback
from concurrent.futures import ThreadPoolExecutor

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


class InterruptionError(Exception):
    """An exception of the application."""


def interruption():
    raise InterruptionError


def texts_of(error):
    """Everything that a log could show of an exception."""
    chain = []
    while error is not None and error not in chain:
        chain.append(error)
        error = error.__context__
    return "\n".join("".join(traceback.format_exception(error)) + repr(vars(error)) for error in chain)


def promises(todos):
    task = "water the plants"
    of_user = {token: f"{task} of {user}" for user, token in (("alice", ALICE), ("bob", BOB))}
    made = [(token, todos.create(token, text)) for token, text in of_user.items()]

    def check(token):
        seen = [todo.task for todo in todos.read(token)]
        expected = [] if token is None else [of_user[token]]
        assert seen == expected, (seen, expected)

    # A rejected token: an error for status 401 without the token, and a connection that the next user can have.
    head, payload, signature = ALICE.split(".")
    for rejected in (EXPIRED, "x", "a.b.c", f"{head}.{payload}.{signature[::-1]}"):
        try:
            todos.read(rejected)
        except Exception as error:  # noqa: BLE001 - each page has its own class
            assert error.status == 401, error
            assert rejected == "x" or rejected not in texts_of(error)
        else:
            raise AssertionError(rejected)
        check(None)
        check(BOB)

    seed = random.randrange(2**32)
    draw = random.Random(seed)
    requests = [(draw.choice([ALICE, BOB, None, EXPIRED]), draw.random() < 0.3) for _ in range(300)]

    def request(number):
        token, is_interrupted = requests[number]
        try:
            if is_interrupted:
                todos.interrupted(token, interruption)
            else:
                check(token)
        except InterruptionError:
            assert is_interrupted and token != EXPIRED, f"seed {seed}"
        except AssertionError:
            raise
        except Exception as error:  # noqa: BLE001
            assert token == EXPIRED and error.status == 401, f"seed {seed}: {error!r}"

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(request, range(len(requests))))
    for token, todo in made:
        assert int(todos.delete(token, todo.id)) == 1
    print("promises kept")
