//! A helpdesk of many organizations in one database. No session sees the rows of another organization.

pub mod app;
pub mod commands;
pub mod error;
pub mod graphql;
pub mod rest;
pub mod sample;
pub mod session;
pub mod views;
