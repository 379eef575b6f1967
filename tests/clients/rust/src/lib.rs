//! What every client does, and the lines that it prints; the same as in tests/clients/node and tests/clients/python.

use std::env::var;

/// A todo as the table has it.
pub struct Todo {
    pub id: i64,
    pub user_id: String,
    pub task: String,
}

/// The SQLSTATE and the message of a rejected statement.
pub struct Rejection(pub String, pub String);

pub type Answer<T> = Result<T, Rejection>;

/// Each call is one transaction with the identity of the token, or with none.
#[allow(async_fn_in_trait, reason = "no caller needs the futures to be Send")]
pub trait Todos {
    /// Creates a todo of the token's user, or of `user_id`.
    async fn create(&mut self, token: &str, task: &str, user_id: Option<&str>) -> Answer<Todo>;
    async fn read(&mut self, token: Option<&str>) -> Answer<Vec<Todo>>;
    async fn update(&mut self, token: &str, id: i64, task: &str) -> Answer<u64>;
    async fn delete(&mut self, token: &str, id: i64) -> Answer<u64>;
}

pub async fn scenario(mut todos: impl Todos) {
    let [alice, bob, expired, alice_id] =
        ["ALICE_TOKEN", "BOB_TOKEN", "EXPIRED_TOKEN", "ALICE_ID"].map(|name| var(name).unwrap());

    let of_alice = done(todos.create(&alice, "water the plants", None).await);
    println!("alice created: {} of {}", of_alice.task, of_alice.user_id);
    let of_bob = done(todos.create(&bob, "feed the cat", None).await);
    println!("bob created: {} of {}", of_bob.task, of_bob.user_id);
    println!("alice reads: {}", tasks(todos.read(Some(&alice)).await));
    println!("bob reads: {}", tasks(todos.read(Some(&bob)).await));
    println!(
        "alice updated: {}",
        done(todos.update(&alice, of_alice.id, "water the roses").await)
    );

    let updated = done(todos.update(&bob, of_alice.id, "mine").await);
    println!(
        "bob on alice's: updated {updated}, deleted {}",
        done(todos.delete(&bob, of_alice.id).await)
    );
    println!(
        "bob for alice: {}",
        rejected(todos.create(&bob, "a gift", Some(&alice_id)).await)
    );
    println!("expired: {}", rejected(todos.read(Some(&expired)).await));
    println!("no identity sees: {}", done(todos.read(None).await).len());

    println!("alice reads: {}", tasks(todos.read(Some(&alice)).await));
    println!("alice deleted: {}", done(todos.delete(&alice, of_alice.id).await));
    println!("bob deleted: {}", done(todos.delete(&bob, of_bob.id).await));
}

fn done<T>(answer: Answer<T>) -> T {
    answer.unwrap_or_else(|Rejection(code, message)| panic!("{code} {message}"))
}

fn rejected<T>(answer: Answer<T>) -> String {
    match answer {
        Ok(_) => "not rejected".to_owned(),
        Err(Rejection(code, message)) => format!("{code} {message}"),
    }
}

fn tasks(answer: Answer<Vec<Todo>>) -> String {
    let tasks: Vec<String> = done(answer).into_iter().map(|todo| todo.task).collect();
    tasks.join(", ")
}
