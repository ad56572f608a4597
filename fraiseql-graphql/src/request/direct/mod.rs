//! Direct answers: a request for documents is answered without executing the schema, if an earlier one
//! had the same query.
//!
//! The first request with a query is executed. From its operation a [`draft`] is made: the root fields
//! with the places of their arguments, and the [`conditions`] of `@skip` and `@include`. The resolvers of
//! [`Views`](crate::Views) record how they read ([`recorder`]). If the response has nothing but
//! documents, both become a [`plan`], which is kept with the query. A later request binds its variables
//! to the [`arguments`] and is answered ([`answer`]), unless its client has the answer already ([`tag`]); equal ones that
//! come at the same time are answered once ([`shared`]).
//!
//! Documents that are known before the first request have their plans then ([`planning`]).
//!
//! A direct answer is either that of the schema or none: whatever may be an error, from the value of a
//! variable to a document, is left to the schema, which reports it.

#[cfg(feature = "http")]
pub(crate) mod answer;
pub(crate) mod arguments;
pub(crate) mod conditions;
pub(crate) mod draft;
pub(crate) mod plan;
pub(crate) mod planning;
pub(crate) mod recorder;
#[cfg(feature = "http")]
pub(crate) mod shared;
#[cfg(feature = "http")]
pub(crate) mod tag;
