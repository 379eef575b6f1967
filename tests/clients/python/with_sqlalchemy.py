"""SQLAlchemy's ORM on psycopg, with a pool of one connection that both users share. With POOLED, for a pooler in transaction
mode.
"""

import os
from contextlib import contextmanager

from sqlalchemy import FetchedValue, Identity, create_engine, delete, func, select, text, update
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from scenario import scenario


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

    @contextmanager
    def transaction(self, token):
        with Session(self.engine, expire_on_commit=False) as session, session.begin():
            session.execute(text("set local role authenticated"))
            if token is not None:
                session.execute(select(func.auth.jwt_session_init(token, True)))
            yield session

    def create(self, token, task, user_id=None):
        with self.transaction(token) as session:
            todo = Todo(task=task) if user_id is None else Todo(task=task, user_id=user_id)
            session.add(todo)
            session.flush()
            session.refresh(todo)
            return todo

    def read(self, token):
        with self.transaction(token) as session:
            return session.scalars(select(Todo).order_by(Todo.id)).all()

    def update(self, token, id, task):
        with self.transaction(token) as session:
            return session.execute(update(Todo).where(Todo.id == id).values(task=task)).rowcount

    def delete(self, token, id):
        with self.transaction(token) as session:
            return session.execute(delete(Todo).where(Todo.id == id)).rowcount

    def rejection(self, error):
        return error.orig.sqlstate, error.orig.diag.message_primary


# Without a host, libpq takes where the server is from PGHOST and its siblings.
pooled = {"prepare_threshold": None} if "POOLED" in os.environ else {}
engine = create_engine("postgresql+psycopg://", pool_size=1, max_overflow=0, connect_args=pooled)
scenario(SqlAlchemy(engine))
engine.dispose()
