//! sqlx by docs/languages.md, with a pool of one connection that both users share. With POOLED, for a pooler in transaction
//! mode.

mod page {
    include!(concat!(env!("OUT_DIR"), "/sqlx.rs"));
}

use page::is_of_token;
use pg_session_jwt_clients::{Answer, Rejection, Todo, Todos, scenario};
use sqlx::postgres::{PgArguments, PgConnectOptions, PgPool, PgPoolOptions, PgRow};
use sqlx::query::Query;
use sqlx::{Error, PgTransaction, Postgres, Row as _};

/// A statement without a name, if the next transaction may have another connection to the server.
fn query(sql: &str) -> Query<'_, Postgres, PgArguments> {
    sqlx::query(sql).persistent(std::env::var_os("POOLED").is_none())
}

struct Sqlx(PgPool);

impl Sqlx {
    async fn transaction(&self, token: Option<&str>) -> Answer<PgTransaction<'static>> {
        page::with_token(&self.0, token).await.map_err(rejection)
    }
}

impl Todos for Sqlx {
    async fn create(&mut self, token: &str, task: &str, user_id: Option<&str>) -> Answer<Todo> {
        let mut transaction = self.transaction(Some(token)).await?;
        let insert = match user_id {
            None => query("insert into todos (task) values ($1) returning id, user_id, task").bind(task),
            Some(user_id) => {
                let insert = "insert into todos (task, user_id) values ($1, $2) returning id, user_id, task";
                query(insert).bind(task).bind(user_id)
            }
        };
        let row = insert.fetch_one(&mut *transaction).await.map_err(rejection)?;
        transaction.commit().await.map_err(rejection)?;
        Ok(todo(&row))
    }

    async fn read(&mut self, token: Option<&str>) -> Answer<Vec<Todo>> {
        let mut transaction = self.transaction(token).await?;
        let select = query("select id, user_id, task from todos order by id");
        let rows = select.fetch_all(&mut *transaction).await.map_err(rejection)?;
        Ok(rows.iter().map(todo).collect())
    }

    async fn update(&mut self, token: &str, id: i64, task: &str) -> Answer<u64> {
        let mut transaction = self.transaction(Some(token)).await?;
        let update = query("update todos set task = $2 where id = $1").bind(id).bind(task);
        let updated = update.execute(&mut *transaction).await.map_err(rejection)?;
        transaction.commit().await.map_err(rejection)?;
        Ok(updated.rows_affected())
    }

    async fn delete(&mut self, token: &str, id: i64) -> Answer<u64> {
        let mut transaction = self.transaction(Some(token)).await?;
        let delete = query("delete from todos where id = $1").bind(id);
        let deleted = delete.execute(&mut *transaction).await.map_err(rejection)?;
        transaction.commit().await.map_err(rejection)?;
        Ok(deleted.rows_affected())
    }
}

fn todo(row: &PgRow) -> Todo {
    Todo {
        id: row.get("id"),
        user_id: row.get("user_id"),
        task: row.get("task"),
    }
}

fn rejection(error: Error) -> Rejection {
    let is_of_token = is_of_token(&error);
    let error = error.as_database_error().unwrap_or_else(|| panic!("{error:?}"));
    let code = error.code().unwrap().into_owned();
    assert_eq!(is_of_token, code == "28000");
    Rejection(code, error.message().to_owned())
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    // The options without a URL are those of the environment: PGHOST, PGPORT, PGUSER, PGDATABASE.
    let pool = PgPoolOptions::new().max_connections(1);
    let pool = pool.connect_with(PgConnectOptions::new()).await.unwrap();
    scenario(Sqlx(pool)).await;
}
