//! `pg_session_jwt.optimize_policies`: policies that are sub-selects use the index, and no result changes.

mod asked_once;
mod conditions;
mod conjunctions;
mod deep;
mod differential;
mod expired;
mod failing;
mod failing_conditions;
mod failing_rounds;
mod forms;
mod kept_index;
mod other_hooks;
mod reads;
mod security_barrier;
mod setting;
mod statements;
mod stored;
mod support;
mod tables;
mod untouched;
mod writes;
