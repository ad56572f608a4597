//! Requests whose answer is a stream: subscriptions, and anything else that is asked for in the same way.
//!
//! [`open`] turns a request into a stream of responses. [`events`] sends it as server-sent events, [`websocket`] in the
//! protocol `graphql-transport-ws`, whose messages are in [`messages`]. [`session`] asks the hooks of the application again
//! whether the client may still read, [`task`] drives a stream whatever its client does, and [`lifetime`] ends streams when
//! the server shuts down.

pub(super) mod events;
pub(super) mod lifetime;
#[cfg(feature = "websocket")]
mod messages;
mod open;
#[cfg(feature = "websocket")]
pub(super) mod origin;
pub(super) mod session;
mod task;
#[cfg(feature = "websocket")]
pub(super) mod websocket;
