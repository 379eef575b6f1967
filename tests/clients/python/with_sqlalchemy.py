"""SQLAlchemy's ORM on psycopg by docs/languages.md, with a pool of one connection that both users share. With POOLED, for a
pooler in transaction mode; with PROMISES, with two connections and threads.
"""

import os

from page_sqlalchemy import TokenError, with_token
from sqlalchemy import FetchedValue, Identity, create_engine, delete, select, update
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from scenario import promises, scenario


class Base(DeclarativeBase):
    pass


class Todo(Base):
    __tablename__ = "todos"

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    user_id: Mapped[str] = mapped_column(FetchedValue())  # the default of the table is auth.user_id()
    task: Mapped[str]


class SqlAlchemy:
    def __init__(self, engine):
        self.engine = engine

    def create(self, token, task, user_id=None):
        with with_token(self.engine, token) as session:
            todo = Todo(task=task) if user_id is None else Todo(task=task, user_id=user_id)
            session.add(todo)
            session.flush()
            session.refresh(todo)
            return todo

    def read(self, token):
        with with_token(self.engine, token) as session:
            return session.scalars(select(Todo).order_by(Todo.id)).all()

    def update(self, token, id, task):
        with with_token(self.engine, token) as session:
            return session.execute(update(Todo).where(Todo.id == id).values(task=task)).rowcount

    def delete(self, token, id):
        with with_token(self.engine, token) as session:
            return session.execute(delete(Todo).where(Todo.id == id)).rowcount

    def interrupted(self, token, work):
        with with_token(self.engine, token):
            work()

    def rejection(self, error):
        if isinstance(error, TokenError):
            return "28000", str(error)
        return error.orig.sqlstate, error.orig.diag.message_primary


# Without a host, libpq takes where the server is from PGHOST and its siblings.
pooled = {"prepare_threshold": None} if "POOLED" in os.environ else {}
size = 2 if "PROMISES" in os.environ else 1
address = "postgresql+psycopg://"
engine = create_engine(address, pool_size=size, max_overflow=0, hide_parameters=True, connect_args=pooled)
(promises if "PROMISES" in os.environ else scenario)(SqlAlchemy(engine))
engine.dispose()
