//! One flight on one connection: reads PostgreSQL's answers to the end of the transaction, and to the end of the clean-up.
//!
//! The functions can be dropped at any await and called again, because the place in the flight is kept in the exchange. An
//! error of any of them means that the connection must be closed.

use std::io;

use postgres_protocol::message::backend::Message;
use sql_over_http::failure::{Failure, sqlstate};
use sql_over_http::flight::Flight;
use sql_over_http::reply::ReplyBuilder;
use sql_over_http::statement;

use crate::budget::Share;
use crate::upstream::Connection;

pub struct Exchange<'a> {
    connection: &'a mut Connection,
    reply: ReplyBuilder,
    share: Share,
    /// What the request has taken of it.
    request_bytes: usize,
    /// The gateway's own statements, which come first, and the user's.
    preamble: usize,
    statements: usize,
    /// Whether failures name the statement.
    batch: bool,
    place: Place,
    /// The statements that are complete.
    complete: usize,
    failure: Option<Failure>,
    /// Whether PostgreSQL has reported an error.
    has_error: bool,
    /// Whether an error had the SQLSTATE of a session whose stored settings have changed.
    may_be_outdated: bool,
    committed: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Place {
    /// Before the Sync's ReadyForQuery. `then_commit` tells whether COMMIT follows.
    Statements { then_commit: bool },
    /// Before COMMIT's ReadyForQuery.
    Commit,
    /// Before the clean-up's ReadyForQuery.
    CleanUp,
    /// The connection is as new.
    End,
}

/// Where [`Exchange::transaction`] has stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// The transaction has ended.
    Ended,
    /// The rows do not fit into the response, while the transaction still runs.
    MustCancel,
}

impl<'a> Exchange<'a> {
    /// Hands the flight to the connection, which writes it while answers are read.
    pub fn begin(
        connection: &'a mut Connection,
        flight: Flight,
        batch: bool,
        reply: ReplyBuilder,
        share: Share,
    ) -> Exchange<'a> {
        connection.queue(flight.bytes);
        Exchange {
            connection,
            reply,
            request_bytes: share.taken(),
            share,
            preamble: flight.preamble,
            statements: flight.statements,
            batch,
            place: Place::Statements {
                then_commit: flight.transaction,
            },
            complete: 0,
            failure: None,
            has_error: false,
            may_be_outdated: false,
            committed: false,
        }
    }

    /// Reads to the end of the transaction, or to the first row that the response has no place for.
    pub async fn transaction(&mut self) -> Result<Stop, Failure> {
        loop {
            let message = self.next().await?;
            match self.place {
                Place::Statements { then_commit } => match message {
                    Message::ReadyForQuery(body) => {
                        self.require_all_complete()?;
                        if then_commit {
                            self.place = Place::Commit;
                        } else if body.status() == b'I' {
                            self.place = Place::CleanUp;
                            self.committed = !self.has_error;
                            return Ok(Stop::Ended);
                        } else {
                            return Err(unexpected());
                        }
                    }
                    message => {
                        if self.statement(message)? {
                            return Ok(Stop::MustCancel);
                        }
                    }
                },
                Place::Commit => match message {
                    Message::CommandComplete(body) => self.committed = body.tag().is_ok_and(|tag| tag == "COMMIT"),
                    // A deferred constraint, for example.
                    Message::ErrorResponse(error) => self.fail(Failure::of_server(&error)),
                    Message::ReadyForQuery(body) if body.status() == b'I' => {
                        self.place = Place::CleanUp;
                        if !self.committed && self.failure.is_none() {
                            self.fail(not_committed());
                        }
                        return Ok(Stop::Ended);
                    }
                    _ => return Err(unexpected()),
                },
                Place::CleanUp | Place::End => return Ok(Stop::Ended),
            }
        }
    }

    /// Reads the answer to the clean-up. Afterwards the connection is as new.
    pub async fn clean_up(&mut self) -> Result<(), Failure> {
        while self.place != Place::End {
            match self.next().await? {
                Message::CommandComplete(_) => {}
                Message::ReadyForQuery(body) if body.status() == b'I' => self.place = Place::End,
                Message::ErrorResponse(error) => return Err(Failure::of_server(&error)),
                _ => return Err(unexpected()),
            }
        }
        Ok(())
    }

    /// The body of the response with its part of the budget, once, after the end of the transaction.
    pub fn result(&mut self) -> Result<(Vec<u8>, Share), Failure> {
        if let Some(failure) = self.failure.take() {
            return Err(self.with_outcome(failure));
        }
        let body = self.reply.finish().map_err(|failure| self.with_outcome(failure))?;
        self.share.shrink_to(body.len());
        Ok((body, self.share.take()))
    }

    /// Whether the extension may give no identity on this connection any more. After ALTER DATABASE has changed the providers
    /// each use of an identity is an error until the session ends (docs/operations.md).
    pub fn may_be_outdated(&self) -> bool {
        self.may_be_outdated
    }

    /// Tells the client if the transaction was committed although its request fails, or if that is not known.
    pub fn with_outcome(&self, failure: Failure) -> Failure {
        match self.place {
            _ if self.committed => failure.detail("The transaction was committed."),
            // COMMIT is under way, and an open transaction may still survive the request to cancel it.
            Place::Statements { .. } | Place::Commit if !self.has_error => {
                failure.detail("It is not known whether the transaction was committed.")
            }
            _ => failure,
        }
    }

    /// Reads a message before the Sync's ReadyForQuery. Whether the response has just overflowed.
    fn statement(&mut self, message: Message) -> Result<bool, Failure> {
        let own = self.complete < self.preamble;
        let result = match message {
            Message::ParseComplete | Message::BindComplete | Message::NoData => Ok(()),
            Message::DataRow(_) | Message::CommandComplete(_) if own => {
                self.complete += usize::from(matches!(message, Message::CommandComplete(_)));
                Ok(())
            }
            // After a failure of the response its rows are read and dropped.
            Message::RowDescription(_) | Message::DataRow(_) if self.failure.is_some() => Ok(()),
            Message::RowDescription(body) => self.reply.row_description(&body),
            Message::DataRow(body) => self.reply.row(&body),
            Message::CommandComplete(body) => {
                self.complete += 1;
                let tag = body.tag().map_err(|_| unexpected())?;
                if statement::controls_transaction(tag) {
                    return Err(statement::transaction_control());
                }
                if self.failure.is_some() {
                    Ok(())
                } else {
                    self.reply.complete(tag)
                }
            }
            Message::EmptyQueryResponse => {
                self.complete += 1;
                if self.failure.is_some() {
                    Ok(())
                } else {
                    self.reply.empty_query()
                }
            }
            Message::PortalSuspended => Err(unexpected()),
            Message::ErrorResponse(error) => {
                self.has_error = true;
                self.fail(Failure::of_server(&error));
                return Ok(false);
            }
            // statement.rs rejects COPY before anything is sent. If it comes here all the same, the messages that follow
            // are not what PostgreSQL expects, and the connection cannot be used any more.
            Message::CopyInResponse(_) | Message::CopyOutResponse(_) => return Err(statement::copy()),
            _ => return Err(unexpected()),
        };
        let result = match self.failure {
            Some(_) => return Ok(false),
            None => result.and_then(|()| self.share.grow_to(self.request_bytes + self.reply.memory())),
        };
        match result {
            Ok(()) => Ok(false),
            Err(failure) => {
                self.fail(failure);
                Ok(true)
            }
        }
    }

    /// A success must have an answer to each statement. Without one the gateway has misread something.
    fn require_all_complete(&self) -> Result<(), Failure> {
        if self.failure.is_none() && self.complete != self.preamble + self.statements {
            return Err(unexpected());
        }
        Ok(())
    }

    /// The first failure is the one that counts.
    fn fail(&mut self, mut failure: Failure) {
        self.may_be_outdated |= failure.code() == sqlstate::NOT_IN_PREREQUISITE_STATE;
        if self.failure.is_some() {
            return;
        }
        let user_statement = self.complete.checked_sub(self.preamble);
        if self.batch && matches!(self.place, Place::Statements { .. }) {
            failure.fields.query_index = user_statement;
        }
        self.failure = Some(failure);
    }

    async fn next(&mut self) -> Result<Message, Failure> {
        loop {
            let received = match self.connection.received() {
                Ok(Some(message)) => return Ok(message),
                Ok(None) => {
                    let row = self.connection.awaited();
                    self.share.grow_to(self.request_bytes + self.reply.memory() + row)?;
                    self.connection.receive().await
                }
                Err(error) => Err(error),
            };
            // PostgreSQL's last words, if it had any.
            received.map_err(|error| self.failure.take().unwrap_or_else(|| lost(&error)))?;
        }
    }
}

fn lost(error: &io::Error) -> Failure {
    if error.kind() == io::ErrorKind::InvalidData {
        return Failure::with_status(507, sqlstate::PROGRAM_LIMIT_EXCEEDED, "row is too large for a response");
    }
    Failure::new(sqlstate::CONNECTION_FAILURE, "connection to PostgreSQL was lost")
}

fn unexpected() -> Failure {
    Failure::new(sqlstate::PROTOCOL_VIOLATION, "unexpected message from PostgreSQL")
}

fn not_committed() -> Failure {
    Failure::new(
        sqlstate::INVALID_TRANSACTION_TERMINATION,
        "the transaction was not committed",
    )
}
